"""Small shared pieces of pages."""
