from app.all_candidates.page import page

page()
