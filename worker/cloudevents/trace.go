package cloudevents

import (
	"regexp"

	"allocation/outbox"
)

// The forms of W3C Trace Context, https://www.w3.org/TR/trace-context/: version 00 exactly, later
// versions may say more.
var (
	traceParentForm = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[!-~]*)?$`)
	traceStateForm  = regexp.MustCompile(`^[ -~]{1,512}$`)
)

const (
	noTrace        = "00000000000000000000000000000000"
	noSpan         = "0000000000000000"
	maxTraceParent = 255
)

// keepTrace keeps trace headers for the events of a command, if they are well-formed.
func keepTrace(cause *outbox.Cause, parent, state string) {
	if !validTraceParent(parent) {
		return
	}
	cause.TraceParent = parent
	if traceStateForm.MatchString(state) {
		cause.TraceState = state
	}
}

func validTraceParent(s string) bool {
	if s == "" || len(s) > maxTraceParent {
		return false
	}
	m := traceParentForm.FindStringSubmatch(s)
	if m == nil || m[1] == "ff" || m[2] == noTrace || m[3] == noSpan {
		return false
	}
	return m[1] != "00" || m[4] == ""
}
