"""The write side: receives OTLP, stores it, settles it, serves reads."""
