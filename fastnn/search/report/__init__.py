"""The output of a search: progress, plots and an HTML report.

====================  ============================================================
progress              progress bar, or lines in a file
study_view            the study without Optuna: trials, dimensions, importances
axes                  axes of plots: limits, scales, tick labels
plots                 single plots
parallel_coordinates  the plot of parallel coordinates
plot_grid             several plots in one figure
html                  the report
settings              arguments of a search as text
====================  ============================================================
"""
