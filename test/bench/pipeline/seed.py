"""The stack that the pipeline replaces: pandas, SQLAlchemy's bulk_save_objects, to_sql, to_parquet.

python seed.py staging|lake|warehouse|whole PAYLOADS LAKE; the server is in libpq's variables.
"""

import json
import sys
from datetime import datetime, timezone
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

PRICES = ["open", "high", "low", "close"]
COLUMNS = ["ts", *PRICES, "volume"]


class Base(DeclarativeBase):
    pass


class StagedBar(Base):
    __tablename__ = "bars"
    __table_args__ = {"schema": "staging"}

    symbol: Mapped[str] = mapped_column(primary_key=True)
    interval: Mapped[str] = mapped_column(primary_key=True)
    ts: Mapped[datetime] = mapped_column(primary_key=True)
    source: Mapped[str]
    open: Mapped[float]
    high: Mapped[float]
    low: Mapped[float]
    close: Mapped[float]
    volume: Mapped[float]
    session: Mapped[datetime]
    staged_at: Mapped[datetime]


def read_payload(path: Path) -> pd.DataFrame:
    answer = json.loads(path.read_bytes())
    frame = pd.DataFrame.from_dict(answer["Time Series (1min)"], orient="index")
    frame.columns = [name[3:] for name in frame.columns]
    local = pd.to_datetime(frame.index)
    frame = frame.astype(float).assign(
        ts=local.tz_localize("America/New_York").tz_convert("UTC"),
        session=local.date,
        symbol=answer["Meta Data"]["2. Symbol"],
    )
    return frame.sort_values("ts")


def stage(engine, payloads: Path) -> None:
    for path in sorted(payloads.glob("*.json")):
        frame = read_payload(path)
        now = datetime.now(timezone.utc)
        bars = [
            StagedBar(source="seed", interval="1min", staged_at=now, **row)
            for row in frame.to_dict(orient="records")
        ]
        with Session(engine) as session, session.begin():
            replaced = StagedBar.ts.between(frame["ts"].min(), frame["ts"].max())
            session.execute(delete(StagedBar).where(StagedBar.symbol == frame["symbol"].iloc[0], replaced))
            session.bulk_save_objects(bars)


def staged(engine, symbol: str) -> pd.DataFrame:
    with engine.connect() as connection:
        return pd.read_sql(select(StagedBar).where(StagedBar.symbol == symbol).order_by(StagedBar.ts), connection)


def symbols(engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(select(StagedBar.symbol).distinct().order_by(StagedBar.symbol)))


def load(engine) -> None:
    for symbol in symbols(engine):
        frame = staged(engine, symbol).drop(columns="staged_at").assign(loaded_at=datetime.now(timezone.utc))
        with engine.begin() as connection:
            connection.exec_driver_sql("delete from warehouse.bars where symbol = %s", (symbol,))
            frame.to_sql("bars", connection, schema="warehouse", if_exists="append", index=False, chunksize=10_000)


def publish(engine, lake: Path) -> None:
    for symbol in symbols(engine):
        frame = staged(engine, symbol).rename(columns={"session": "date"})
        frame["volume"] = frame["volume"].astype("int64")
        frame[["symbol", "date", *COLUMNS]].to_parquet(
            lake / "bars",
            partition_cols=["symbol", "date"],
            compression="zstd",
            existing_data_behavior="delete_matching",
        )


def main(what: str, payloads: Path, lake: Path) -> None:
    engine = create_engine("postgresql+psycopg://")
    if what in ("staging", "whole"):
        stage(engine, payloads)
    if what in ("lake", "whole"):
        publish(engine, lake)
    if what in ("warehouse", "whole"):
        load(engine)


main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
