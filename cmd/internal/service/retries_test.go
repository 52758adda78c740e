package service

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// An alert sees a series grow, and not its first attempt if the series was not there before. So the
// reasons that stand in the code are those that are shown at the start.
func TestMetrics_eachReasonToTryAgainIsThereFromTheStart(t *testing.T) {
	written := map[string]bool{}
	find := func(files, expression string) {
		names, err := filepath.Glob(files)
		require.NoError(t, err)
		for _, name := range names {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, found := range regexp.MustCompile(expression).FindAllSubmatch(text, -1) {
				written[string(found[1])] = true
			}
		}
	}
	find("../../../worker/*.go", `\b(?:Retries\.WithLabelValues\("\w+", |\.retry\()"(\w+)"`)
	find("../../../outbox/*.go", `\.tableFailed\("(\w+)"`)
	find("../../../outbox/health.go", `(?m)^\t\treturn "(\w+)"$`)
	find("*.go", `Retries\.WithLabelValues\(systemKafka, "(\w+)"`)
	require.Greater(t, len(written), 20)

	shown := map[string]bool{}
	families, err := newMetrics("allocation", nil).registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, series := range f.GetMetric() {
			for _, l := range series.GetLabel() {
				if f.GetName() == "allocation_retries_total" && l.GetName() == "reason" {
					shown[l.GetValue()] = true
				}
			}
		}
	}
	require.Equal(t, written, shown)
}
