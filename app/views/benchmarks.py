from app.benchmarks.page import page

page()
