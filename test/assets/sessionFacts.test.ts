import { assert, describe, it } from "@effect/vitest"
import { nyse } from "../../src/assets/nyse.ts"
import { sessionFacts } from "../../src/assets/sessionFacts.ts"
import * as Quality from "../../src/layers/bars/Quality.ts"
import * as Rule from "../../src/layers/bars/Rule.ts"
import { decode } from "../../src/layers/market-data/alpha-vantage/SeriesJson.ts"
import * as AlphaVantageText from "../support/AlphaVantageText.ts"

const two = (value: number): string => String(value).padStart(2, "0")

/** The vendor's answer with a bar in every minute from `first` to `last` (minutes of the New York day, inclusive). */
const answer = (sessions: ReadonlyArray<string>, first: number, last: number) => {
  const rows = sessions.toReversed().flatMap((session) =>
    Array.from({ length: last - first + 1 }, (_, at) => last - at).map((minute) =>
      AlphaVantageText.row(
        `${session} ${two(Math.floor(minute / 60))}:${two(minute % 60)}:00`,
        100_000,
        101_000,
        99_000,
        100_000,
        100
      )
    )
  )
  return decode(new TextEncoder().encode(`${AlphaVantageText.head("IBM", "")}${rows.join(",\n")}}}`), "1min")
}

const judge = (decoded: ReturnType<typeof decode>, session: string) =>
  Quality.judge(
    decoded.sessions.find((one) => one.session === session)!.bars,
    sessionFacts(nyse, decoded, session, { interval: "1min", fetchedAt: "2026-11-24T00:00:00.000Z" }),
    Rule.all
  )

describe("sessions as the vendor labels them", () => {
  it("keep their hours over both changes of the clocks", () => {
    // The Fridays before and the Mondays after 2024-03-10 and 2024-11-03.
    const sessions = ["2024-03-08", "2024-03-11", "2024-11-01", "2024-11-04"]
    const decoded = answer(sessions, 240, 1199)
    assert.deepStrictEqual(decoded.rejects, [])
    assert.deepStrictEqual(decoded.sessions.map(({ session }) => session), sessions)
    assert.deepStrictEqual(
      decoded.sessions.map(({ bars }) => new Date(bars.ts[330]!).toISOString().slice(11, 16)),
      ["14:30", "13:30", "13:30", "14:30"]
    )
    for (const session of sessions) {
      const { bars, rejects, warnings } = judge(decoded, session)
      assert.deepStrictEqual([bars.length, rejects, warnings], [960, [], {}], session)
    }
  })

  it("end at 13:00 on half days: later bars are welcome, missing ones are no gap", () => {
    const halfDay = "2024-11-29"
    const short = answer([halfDay], 570, 779)
    assert.deepStrictEqual(judge(short, halfDay).warnings, {})
    assert.strictEqual(judge(answer([halfDay], 570, 1019), halfDay).rejects.length, 0)
    assert.deepStrictEqual(judge(answer([halfDay], 570, 770), halfDay).warnings, { gap: 9 })
    assert.deepStrictEqual(judge(answer(["2024-11-27"], 570, 779), "2024-11-27").warnings, { gap: 180 })
  })

  it("do not trade before 04:00 and from 20:00 on", () => {
    const { rejects } = judge(answer(["2024-11-27"], 235, 1204), "2024-11-27")
    assert.strictEqual(rejects.length, 10)
  })
})
