from bokeh.plotting import _none as column
