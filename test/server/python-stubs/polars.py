"""Replaces polars where it cannot be installed: as much as AWS's aggregation of tasks uses."""

import statistics

Utf8 = str


class Expression:
    def __init__(self, evaluate, name=None):
        self.evaluate, self.name = evaluate, name

    def alias(self, name):
        return Expression(self.evaluate, name)

    def _over(self, fold):
        return Expression(lambda rows: fold(self.evaluate(rows)), self.name)

    def map_elements(self, function, return_dtype=None):
        return self._over(lambda values: [function(value) for value in values])

    def mean(self):
        return self._over(statistics.fmean)

    def max(self):
        return self._over(max)

    def sum(self):
        return self._over(sum)

    def std(self):
        return self._over(lambda values: statistics.stdev(values) if values[1:] else None)

    def n_unique(self):
        return self._over(lambda values: _len(set(values)))


_len = len


def col(name):
    return Expression(lambda rows: [row[name] for row in rows], name)


def len():  # noqa: A001
    return Expression(_len)


class DataFrame:
    def __init__(self, rows=()):
        self.rows = list(rows)

    def is_empty(self):
        return not self.rows

    def with_columns(self, *expressions):
        rows = [dict(row) for row in self.rows]
        for each in expressions:
            for row, value in zip(rows, each.evaluate(self.rows)):
                row[each.name] = value
        return DataFrame(rows)

    def group_by(self, names):
        names = [names] if isinstance(names, str) else list(names)
        groups = {}
        for row in self.rows:
            groups.setdefault(tuple(row[name] for name in names), []).append(row)
        return Groups(names, groups)

    def sort(self, by, descending=False, **_):
        return DataFrame(sorted(self.rows, key=lambda row: row[by], reverse=descending))

    def to_dicts(self):
        return self.rows

    def iter_rows(self, named=False):
        return iter(self.rows)

    def __len__(self):
        return _len(self.rows)


class Groups:
    def __init__(self, names, groups):
        self.names, self.groups = names, groups

    def agg(self, *expressions):
        flat = [e for each in expressions for e in (each if isinstance(each, list) else [each])]
        return DataFrame(
            {**dict(zip(self.names, key)), **{each.name: each.evaluate(rows) for each in flat}}
            for key, rows in self.groups.items()
        )
