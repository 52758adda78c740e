package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stopOfOrders is orders stopped for five minutes, and catching up for one, with as much before and
// after; and ten answers a second of each way, one in fifty of which took 30 ms, the others 10.
func stopOfOrders() ([]window, *ways) {
	began := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	var windows []window
	add := func(state, of string, length time.Duration) {
		windows = append(windows, window{state, of, began, began.Add(length)})
		began = began.Add(length + 10*time.Second)
	}
	add(alone, "", 150*time.Second)
	add(stopped, "orders", 300*time.Second)
	add(catchesUp, "orders", 60*time.Second)
	add(alone, "", 150*time.Second)
	w := &ways{
		click: &way{name: "click", needs: []string{"orders", "allocation"}, rate: 10}, hop: &way{name: "hop", needs: []string{"orders", "allocation"}, rate: 10},
		line: &way{name: "line", needs: []string{"orders"}, rate: 10}, placed: &way{name: "placed", needs: []string{"orders"}, rate: 10},
		task: &way{name: "task", needs: []string{"warehouse"}}, batch: &way{name: "batch", needs: []string{"warehouse", "allocation"}},
	}
	n := 0
	for at := windows[0].from; at.Before(began); at = at.Add(100 * time.Millisecond) {
		took := 10 * time.Millisecond
		if n++; n%50 == 0 {
			took = 30 * time.Millisecond
		}
		for _, each := range w.all() {
			each.answers = append(each.answers, answer{at, took})
		}
		w.task.asked = append(w.task.asked, at)
	}
	w.batch.asked = w.task.asked
	return windows, w
}

var usualGoals = goals{stopped: 1.5, catchUp: 3, click: 3}

// slow has all of a way's answers of a time take longer.
func (w *way) slow(from, to time.Time, took time.Duration) {
	for i, each := range w.answers {
		if !each.at.Before(from) && each.at.Before(to) {
			w.answers[i].took = took
		}
	}
}

// silent removes a way's answers of a time.
func (w *way) silent(from, to time.Time) {
	w.answers = slices.DeleteFunc(w.answers, func(a answer) bool { return !a.at.Before(from) && a.at.Before(to) })
}

// What needs no stopped service is compared, in both windows.
func TestJudge_comparesWhatNeedsNoStoppedService(t *testing.T) {
	t.Parallel()
	windows, w := stopOfOrders()
	table, failures := judge(windows, w, usualGoals)
	require.Empty(t, failures)
	require.Equal(t, `| While | s | What | Samples | p50, ms | p99, ms | p99 before and after, ms | of samples | Times | Goal |
|---|--:|---|--:|--:|--:|---|--:|--:|--:|
| nothing is stopped | 300 | click | 3000 | 10 | 30 | one hop: 30 | 3000 | 1.00 | 3 |
| orders is stopped | 300 | task | 3000 | 10 | 30 | 30 (30 to 30 in 2 pieces) | 3000 | 1.00 | 1.5 |
| orders is stopped | 300 | batch | 3000 | 10 | 30 | 30 (30 to 30 in 2 pieces) | 3000 | 1.00 | 1.5 |
| orders catches up | 60 | task | 600 (few) | 10 | 30 | 30 (30 to 30 in 4 pieces) | 3000 | 1.00 | 3 |
| orders catches up | 60 | batch | 600 (few) | 10 | 30 | 30 (30 to 30 in 4 pieces) | 3000 | 1.00 | 3 |

(few): fewer than 1000 samples, whose p99 is much of it chance.`, table)
}

// A window in which nothing, or too little, was answered is none in which all was fast.
func TestJudge_wantsSamples(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func([]window, *ways)
		want  string
	}{
		"none while stopped": {
			func(in []window, w *ways) { w.task.silent(in[1].from, in[1].to) },
			"task: while orders is stopped (300 s from 12:02:40 on), 0 samples, of about 3000 that were asked for; at least 2400 are needed",
		},
		"a quarter is missing": {
			func(in []window, w *ways) { w.batch.silent(in[1].from, in[1].from.Add(75*time.Second)) },
			"batch: while orders is stopped (300 s from 12:02:40 on), 2250 samples, of about 3000",
		},
		"none while it catches up": {
			func(in []window, w *ways) { w.batch.silent(in[2].from, in[2].to) },
			"batch: while orders catches up (60 s from 12:07:50 on), 0 samples, of about 600",
		},
		"none before": {
			func(in []window, w *ways) { w.task.silent(in[0].from, in[0].to) },
			"task: while nothing is stopped (150 s from 12:00:00 on), 0 samples, of about 1500",
		},
		"nobody asks": {
			func(in []window, w *ways) { w.task.silent(in[0].from, in[3].to); w.task.asked = nil },
			"task: while orders is stopped (300 s from 12:02:40 on), 0 samples, of about 0 that were asked for; at least 100 are needed",
		},
		"no clicks": {
			func(in []window, w *ways) { w.click.silent(in[0].from, in[0].to) },
			"click: while nothing is stopped (150 s from 12:00:00 on), 0 samples, of about 1500",
		},
		"fewer orders than said": {
			func(in []window, w *ways) { w.placed.rate = 20 },
			"placed: while nothing is stopped (150 s from 12:00:00 on), 1500 samples, of about 3000",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			windows, w := stopOfOrders()
			c.spoil(windows, w)
			table, failures := judge(windows, w, usualGoals)
			require.Len(t, slices.Compact(slices.Sorted(slices.Values(failures))), len(failures), "each once")
			require.Contains(t, strings.Join(failures, "\n"), c.want, table)
		})
	}
}

// What takes longer than its goal fails, and the failure says all that one asks then.
func TestJudge_wantsItsGoals(t *testing.T) {
	t.Parallel()
	windows, w := stopOfOrders()
	w.task.slow(windows[1].to.Add(-10*time.Second), windows[1].to, 46*time.Millisecond) // a thirtieth of the time
	w.batch.slow(windows[2].from, windows[2].from.Add(10*time.Second), 91*time.Millisecond)
	w.click.slow(windows[3].from, windows[3].from.Add(10*time.Second), 91*time.Millisecond)
	_, failures := judge(windows, w, usualGoals)
	require.Equal(t, []string{
		"click: while nothing is stopped, p99 is 91 ms (3000 samples), 3.03 times the 30 ms (3000 samples) of hop; the goal is at most 3 times (STORY_CLICK_RATIO)",
		"task: while orders is stopped, p99 is 46 ms (3000 samples), 1.53 times the 30 ms before and after (3000 samples; 30 to 30 in 2 pieces); the goal is at most 1.5 times (STORY_STOPPED_RATIO)",
		"batch: while orders catches up, p99 is 91 ms (600 samples), 3.03 times the 30 ms before and after (3000 samples; 30 to 30 in 4 pieces); the goal is at most 3 times (STORY_CATCHUP_RATIO); the p99 of fewer than 1000 samples is much of it chance",
	}, failures)
	_, failures = judge(windows, w, goals{stopped: 1.6, catchUp: 3.1, click: 3.1})
	require.Empty(t, failures)
}

// A moment of another program before the stop is nothing to compare with.
func TestJudge_comparesWithTheMedianOfPieces(t *testing.T) {
	t.Parallel()
	windows, w := stopOfOrders()
	w.task.slow(windows[0].from, windows[0].from.Add(30*time.Second), time.Second)
	w.task.slow(windows[2].from, windows[2].to, 91*time.Millisecond)
	_, failures := judge(windows, w, goals{stopped: 100, catchUp: 3, click: 3})
	require.Len(t, failures, 1)
	require.Contains(t, failures[0], "3.03 times the 30 ms before and after (3000 samples; 30 to 1000 in 4 pieces)")
}

func TestRatio_isASetting(t *testing.T) {
	t.Setenv("STORY_STOPPED_RATIO", "")
	t.Setenv("STORY_CATCHUP_RATIO", "2.5")
	t.Setenv("STORY_CLICK_RATIO", "")
	require.Equal(t, goals{stopped: 1.5, catchUp: 2.5, click: 3}, readGoals(t))
}
