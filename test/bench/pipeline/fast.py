"""The quickest Python that we know: DuckDB reads JSON and writes Parquet, polars converts, psycopg copies.

python fast.py staging|lake|warehouse|whole PAYLOADS LAKE; the server is in libpq's variables. `whole` keeps the frame
of a symbol in memory for all three; the single stages read staging.
"""

import io
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import duckdb
import polars as pl
import psycopg

PRICES = ["open", "high", "low", "close"]
FIELDS = ", ".join(f'"{at}. {name}" varchar' for at, name in enumerate([*PRICES, "volume"], 1))
BARS = f"""
  select symbol, timezone('America/New_York', bar.key::timestamp) as ts, bar.key[:10]::date as session,
    bar.value."1. open"::double as open, bar.value."2. high"::double as high, bar.value."3. low"::double as low,
    bar.value."4. close"::double as close, bar.value."5. volume"::bigint as volume
  from (
    select "Meta Data"."2. Symbol" as symbol, unnest(map_entries("Time Series (1min)")) as bar
    from read_json($paths, maximum_object_size = 67108864, columns = {{
      'Meta Data': 'struct("2. Symbol" varchar)', 'Time Series (1min)': 'map(varchar, struct({FIELDS}))'
    }})
  ) order by ts
"""
TABLE = ["source", "symbol", "interval", "ts", *PRICES, "volume", "session"]


def payloads_of(payloads: Path) -> Iterator[pl.DataFrame]:
    """A frame a symbol."""
    groups: dict[str, list[str]] = {}
    for path in sorted(payloads.glob("*.json")):
        groups.setdefault(path.name.split("_")[0], []).append(str(path))
    for paths in groups.values():
        frame = duckdb.execute(BARS, {"paths": paths}).pl()
        yield frame.with_columns(source=pl.lit("fast"), interval=pl.lit("1min"))


def replace(connection: psycopg.Connection, table: str, known: str, frame: pl.DataFrame) -> None:
    text = io.BytesIO()
    frame.select(*TABLE, pl.lit(datetime.now(timezone.utc)).alias(known)).write_csv(text, include_header=False)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            f"delete from {table} where symbol = %s and interval = '1min' and ts between %s and %s",
            (frame["symbol"][0], frame["ts"].min(), frame["ts"].max()),
        )
        with cursor.copy(f"copy {table} ({', '.join([*TABLE, known])}) from stdin with (format csv)") as copy:
            copy.write(text.getbuffer())


def symbols(connection: psycopg.Connection) -> list[str]:
    return [symbol for (symbol,) in connection.execute("select distinct symbol from staging.bars order by 1")]


def staged(connection: psycopg.Connection, symbol: str) -> pl.DataFrame:
    query = f"""copy (select symbol, session, (extract(epoch from ts) * 1000)::bigint as ts, {', '.join(PRICES)},
        volume::bigint from staging.bars where symbol = %s order by ts) to stdout with (format csv, header)"""
    with connection.cursor() as cursor, cursor.copy(query, (symbol,)) as copy:
        text = b"".join(copy)
    frame = pl.read_csv(text, schema_overrides={"session": pl.Date, **dict.fromkeys(PRICES, pl.Float64)})
    return frame.with_columns(pl.from_epoch("ts", time_unit="ms").dt.replace_time_zone("UTC"))


def publish(frame: pl.DataFrame, lake: Path) -> None:
    lake.mkdir(exist_ok=True)
    duckdb.sql(f"""copy (select symbol, session as date, ts, {', '.join(PRICES)}, volume from frame)
        to '{lake}/bars' (format parquet, codec 'zstd', partition_by (symbol, date), overwrite_or_ignore)""")


def load(connection: psycopg.Connection) -> None:
    """As psycopg's documentation moves a table to another server: what is copied out is copied in."""
    columns = ", ".join(TABLE)
    for symbol in symbols(connection):
        with psycopg.connect() as warehouse, connection.cursor() as source, warehouse.cursor() as target:
            target.execute("delete from warehouse.bars where symbol = %s", (symbol,))
            select = f"""copy (select {columns}, now() from staging.bars where symbol = %s order by ts)
                to stdout with (format binary)"""
            into = f"copy warehouse.bars ({columns}, loaded_at) from stdin with (format binary)"
            with source.copy(select, (symbol,)) as rows, target.copy(into) as copy:
                for block in rows:
                    copy.write(block)


def whole(connection: psycopg.Connection, payloads: Path, lake: Path) -> None:
    for frame in payloads_of(payloads):
        replace(connection, "staging.bars", "staged_at", frame)
        publish(frame, lake)
        replace(connection, "warehouse.bars", "loaded_at", frame)


def main(what: str, payloads: Path, lake: Path) -> None:
    with psycopg.connect(autocommit=True) as connection:
        if what == "whole":
            whole(connection, payloads, lake)
        if what == "staging":
            for frame in payloads_of(payloads):
                replace(connection, "staging.bars", "staged_at", frame)
        if what == "lake":
            for symbol in symbols(connection):
                publish(staged(connection, symbol), lake)
        if what == "warehouse":
            load(connection)


main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
