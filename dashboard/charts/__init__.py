"""Frames in, plotly figures out, without Streamlit."""
