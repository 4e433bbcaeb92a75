from bokeh.plotting import _none as ColumnDataSource, _none as Div, _none as Range1d
