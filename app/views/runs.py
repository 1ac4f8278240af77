from app.runs.past_runs_page import page

page()
