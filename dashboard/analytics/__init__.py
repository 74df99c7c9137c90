"""Frames in, findings out: statistics and words, without Streamlit."""
