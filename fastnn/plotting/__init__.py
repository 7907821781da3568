"""The style of plots, and the frame of pages of HTML; matplotlib is imported when used."""
