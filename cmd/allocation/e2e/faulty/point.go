package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// point is a place where a worker can be killed or stopped.
type point string

// The points, in the order of a record's way.
const (
	atAssigned   point = "assigned"    // partitions are assigned, and not claimed
	atClaim      point = "claim"       // a claim is committed, and its answer not read
	atDrain      point = "drain"       // rows of before the claim are read, and not published
	atPoll       point = "poll"        // records are polled, and nothing is done with them
	atWrite      point = "write"       // a batch is loaded and decided, and nothing of it written
	atPipeline   point = "pipeline"    // the fence is executed and holds its locks; the rest of the pipeline is not sent
	atCommit     point = "commit"      // the commit's answer is here, and not read
	atCommitted  point = "committed"   // the commit is known, and nothing is published
	atProduce    point = "produce"     // events are sent to Kafka
	atProduced   point = "produced"    // events are in Kafka, and their acknowledgement is not known
	atAcked      point = "acked"       // events are acknowledged, and their published row is not written
	atGroupStale point = "group-stale" // the published row is written, and the group not told
)

var points = []point{atAssigned, atClaim, atDrain, atPoll, atWrite, atPipeline, atCommit, atCommitted, atProduce, atProduced, atAcked, atGroupStale}

// fault is what happens to this process when a point is reached for the n-th time.
type fault struct {
	point  point
	left   atomic.Int64
	signal syscall.Signal
}

// faultFromEnvironment reads ALLOCATION_FAULT=point:count:action, where the action is kill or stop.
func faultFromEnvironment() *fault {
	text := os.Getenv("ALLOCATION_FAULT")
	if text == "" {
		return nil
	}
	name, rest, _ := strings.Cut(text, ":")
	times, action, _ := strings.Cut(rest, ":")
	count, err := strconv.ParseInt(times, 10, 64)
	signal, ok := map[string]syscall.Signal{"kill": syscall.SIGKILL, "stop": syscall.SIGSTOP}[action]
	f := &fault{point: point(name), signal: signal}
	f.left.Store(count)
	for _, p := range points {
		if p == f.point && err == nil && ok && count > 0 {
			return f
		}
	}
	panic(fmt.Sprintf("ALLOCATION_FAULT is %q; it must be point:count:action, with a point of %v and kill or stop", text, points))
}

// reach strikes, if it is time to. After a stop it returns when the process is continued.
func (f *fault) reach(p point) {
	if f.take(p) {
		f.strike()
	}
}

// take is reach for a caller that has things to do before the strike: it reports whether the caller
// must strike.
func (f *fault) take(p point) bool { return p == f.point && f.left.Add(-1) == 0 }

// strike tells the test that the point was reached, and signals this very thread, so that it goes
// no further.
func (f *fault) strike() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fmt.Fprintf(os.Stderr, "FAULT REACHED %s\n", f.point)
	signalThread(f.signal)
}
