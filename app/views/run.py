from app.runs.run_page import page

page()
