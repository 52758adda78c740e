package e2e

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// window is a time of TestStops in which something was so.
type window struct {
	state, of string // of: the service
	from, to  time.Time
}

const (
	alone     = "nothing is stopped"
	stopped   = "is stopped"
	catchesUp = "catches up"
)

func (w window) String() string {
	if w.state == alone {
		return alone
	}
	return w.of + " " + w.state
}

// goals are how many times as long something may take.
type goals struct {
	stopped, catchUp float64 // as when nothing is stopped
	click            float64 // as one hop
}

func readGoals(t *testing.T) goals {
	return goals{ratio(t, "STORY_STOPPED_RATIO", 1.5), ratio(t, "STORY_CATCHUP_RATIO", 3), ratio(t, "STORY_CLICK_RATIO", 3)}
}

// ratio is a setting.
func ratio(t *testing.T, name string, usual float64) float64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseFloat(text, 64)
	require.True(t, err == nil && n > 0 && n <= 1000, "%s: %q; a number above 0, at most 1000", name, text)
	return n
}

// What is judged has at least fewest samples, and at least enough of what was asked for. Below
// many, a p99 says little: fewer than ten samples are above it.
const (
	fewest = 100
	enough = 0.8
	many   = 1000
)

// verdict is what judge finds.
type verdict struct {
	rows, failures []string
}

// judge compares the p99 of each way that needs no stopped service with what it is when nothing is
// stopped, and that of clicks with that of one hop. It gives a table, and what failed.
//
// The p99 of few samples is much of it chance. So both sides have about as many: the times before
// and after a window are cut into pieces as long as the window (one that is shorter is one piece),
// and the window's p99 is compared with the median of theirs. A moment in which the machine did
// something else is in one piece of several, and changes nothing. The window itself is not cut:
// whatever was slow in it counts.
func judge(windows []window, w *ways, g goals) (table string, failures []string) {
	v := &verdict{rows: []string{
		"| While | s | What | Samples | p50, ms | p99, ms | p99 before and after, ms | of samples | Times | Goal |",
		"|---|--:|---|--:|--:|--:|---|--:|--:|--:|",
	}}
	v.click(windows, w, g.click)
	for i, in := range windows {
		goal, setting := g.stopped, "STORY_STOPPED_RATIO"
		if in.state == catchesUp {
			goal, setting = g.catchUp, "STORY_CATCHUP_RATIO"
		}
		for _, each := range w.all() {
			if in.state != alone && !slices.Contains(each.needs, in.of) {
				v.compare(each, in, around(windows, i), goal, setting)
			}
		}
	}
	return strings.Join(append(v.rows, "", fmt.Sprintf("(few): fewer than %d samples, whose p99 is much of it chance.", many)), "\n"), v.failures
}

// around are the times before and after a window in which nothing was stopped, in pieces as long.
func around(windows []window, i int) (pieces []window) {
	length := windows[i].to.Sub(windows[i].from)
	cut := func(w window) {
		n := max(1, w.to.Sub(w.from)/length)
		each := w.to.Sub(w.from) / n
		for k := range n {
			pieces = append(pieces, window{state: alone, from: w.from.Add(k * each), to: w.from.Add((k + 1) * each)})
		}
	}
	for k := i; k >= 0; k-- {
		if windows[k].state == alone {
			cut(windows[k])
			break
		}
	}
	for k := i; k < len(windows); k++ {
		if windows[k].state == alone {
			cut(windows[k])
			break
		}
	}
	return pieces
}

// compare judges one way in one window.
func (v *verdict) compare(w *way, in window, pieces []window, goal float64, setting string) {
	took, there := v.samples(w, in, in.String())
	var p99s []time.Duration
	usual := 0
	for _, piece := range pieces {
		before, ok := v.samples(w, piece, alone)
		if !ok {
			there = false
			break
		}
		p99s = append(p99s, percentile(before, 0.99))
		usual += len(before)
	}
	row := fmt.Sprintf("| %s | %.0f | %s | %s |", in, in.to.Sub(in.from).Seconds(), w.name, count(len(took)))
	if !there {
		v.rows = append(v.rows, row+" too few | | | | | "+plain(goal)+" |")
		return
	}
	p99, than := percentile(took, 0.99), median(p99s)
	times := p99.Seconds() / than.Seconds()
	spread := fmt.Sprintf("%d to %d in %d pieces", ms(slices.Min(p99s)), ms(slices.Max(p99s)), len(p99s))
	v.rows = append(v.rows, fmt.Sprintf("%s %d | %d | %d (%s) | %s | %.2f | %s |", row, ms(percentile(took, 0.5)), ms(p99), ms(than), spread, count(usual), times, plain(goal)))
	if times > goal {
		v.failures = append(v.failures, fmt.Sprintf("%s: while %s, p99 is %d ms (%d samples), %.2f times the %d ms before and after (%d samples; %s); the goal is at most %s times (%s)%s",
			w.name, in, ms(p99), len(took), times, ms(than), usual, spread, plain(goal), setting, chance(len(took), usual)))
	}
}

// click compares clicks with hops, of all times in which nothing was stopped.
func (v *verdict) click(windows []window, w *ways, goal float64) {
	var clicks, hops []time.Duration
	there, seconds := true, 0.0
	for _, in := range windows {
		if in.state != alone {
			continue
		}
		seconds += in.to.Sub(in.from).Seconds()
		for of, all := range map[*way]*[]time.Duration{w.click: &clicks, w.hop: &hops} {
			took, ok := v.samples(of, in, alone)
			*all, there = append(*all, took...), there && ok
		}
		if _, ok := v.samples(w.placed, in, alone); !ok {
			there = false // so the load is another
		}
	}
	if !there {
		return
	}
	slices.Sort(clicks)
	slices.Sort(hops)
	p99, hop := percentile(clicks, 0.99), percentile(hops, 0.99)
	times := p99.Seconds() / hop.Seconds()
	v.rows = append(v.rows, fmt.Sprintf("| %s | %.0f | %s | %s | %d | %d | one hop: %d | %s | %.2f | %s |",
		alone, seconds, w.click.name, count(len(clicks)), ms(percentile(clicks, 0.5)), ms(p99), ms(hop), count(len(hops)), times, plain(goal)))
	if times > goal {
		v.failures = append(v.failures, fmt.Sprintf("%s: while %s, p99 is %d ms (%d samples), %.2f times the %d ms (%d samples) of %s; the goal is at most %s times (STORY_CLICK_RATIO)%s",
			w.click.name, alone, ms(p99), len(clicks), times, ms(hop), len(hops), w.hop.name, plain(goal), chance(len(clicks), len(hops))))
	}
}

// samples are those of a way in a window; false where there are too few to judge it.
func (v *verdict) samples(w *way, in window, when string) (took []time.Duration, there bool) {
	took = w.in(in.from, in.to)
	asked := w.expected(in.from, in.to)
	if least := max(fewest, enough*asked); float64(len(took)) < least {
		failure := fmt.Sprintf("%s: while %s (%.0f s from %s on), %d samples, of about %.0f that were asked for; at least %.0f are needed: without them nothing says that it went on",
			w.name, when, in.to.Sub(in.from).Seconds(), in.from.Format(time.TimeOnly), len(took), asked, least)
		if !slices.Contains(v.failures, failure) { // several windows are compared with one
			v.failures = append(v.failures, failure)
		}
		return took, false
	}
	return took, true
}

// percentile of what is sorted. Less than Kafka's clock tells counts as its smallest step.
func percentile(took []time.Duration, part float64) time.Duration {
	return max(time.Millisecond, took[int(part*float64(len(took)-1))])
}

func median(of []time.Duration) time.Duration {
	all := slices.Sorted(slices.Values(of))
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

func ms(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }

func plain(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// count says where a p99 is much of it chance.
func count(n int) string {
	if n < many {
		return fmt.Sprint(n, " (few)")
	}
	return fmt.Sprint(n)
}

// chance is what a failure says of few samples.
func chance(samples ...int) string {
	if slices.Min(samples) < many {
		return fmt.Sprintf("; the p99 of fewer than %d samples is much of it chance", many)
	}
	return ""
}
