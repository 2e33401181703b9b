"""Trained networks to look at and play with: what the page of `generate.py explore` shows, and the page itself.

All modules but page.py and serve.py do without gradio.
"""
