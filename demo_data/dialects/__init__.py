"""One module per dialect: the scope, names and attributes a framework's instrumentation writes."""
