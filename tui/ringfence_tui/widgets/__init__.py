"""What is drawn: the only package that imports `textual.widgets` or builds strips, so that foreign text passes here.

| module | holds |
|---|---|
| `text.py` | `safe`, `cells`, `cut`, `fitted`: foreign text made harmless, and cut by cells |
| `painted.py` | `Painted`: a widget that paints its own lines, redraws regions, joins equal styles |
| `lines.py` | `Lines`: rows of spans that scroll, with or without a cursor |
| `table.py` | `Table`, `Column`: any number of rows, of which only the visible ones are asked for |
| `field.py` | `Field`: one line of input with completion |
| `dialog.py` | `Dialog`: the one way of confirming; `Sheet`: rows over a screen |
| `top_bar.py`, `key_bar.py`, `notice.py` | the first line, the last one, and the one above it |
"""
