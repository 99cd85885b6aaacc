"""Surveys: asking people, who was asked, business reviews, objections."""
