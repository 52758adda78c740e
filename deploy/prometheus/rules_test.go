// Package prometheus holds the alerts of the runbook as rules for Prometheus, and what proves them.
package prometheus

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

type rule struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile("rules.yaml")
	require.NoError(t, err)
	var file struct{ Groups []struct{ Rules []rule } }
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.Len(t, file.Groups, 1)
	return file.Groups[0].Rules
}

func TestRules_areAboutMetricsThatThereAre(t *testing.T) {
	metrics, err := os.ReadFile("../../cmd/allocation/program/testdata/metrics.txt")
	require.NoError(t, err)
	for _, r := range rules(t) {
		names := regexp.MustCompile(`allocation_[a-z_]+`).FindAllString(r.Expr, -1)
		require.NotEmpty(t, names, r.Alert)
		for _, name := range names {
			require.Contains(t, "\n"+string(metrics), "\n"+name+" ", r.Alert)
		}
		require.Contains(t, []string{"critical", "warning"}, r.Labels["severity"], r.Alert)
	}
}

// Each alert of the runbook that is about a metric has a rule, and each rule leads to its place
// there.
func TestRules_areTheRunbooks(t *testing.T) {
	runbook, err := os.ReadFile("../../docs/runbook.md")
	require.NoError(t, err)
	_, alerts, _ := strings.Cut(string(runbook), "\n## Alerts\n")
	alerts, _, _ = strings.Cut(alerts, "\n## ")
	var want, got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(Allocation.*)` \\| (.*) \\| `(.*)`(.*) \\| \\[.*\\]\\((#[a-z-]+)\\) \\|$").FindAllStringSubmatch(alerts, -1) {
		want = append(want, strings.Join(row[1:], " "))
	}
	for _, r := range rules(t) {
		during := ""
		if r.For != "" {
			during = " for " + r.For
		}
		_, place, _ := strings.Cut(r.Annotations["runbook"], "docs/runbook.md")
		got = append(got, strings.Join([]string{r.Alert, r.Labels["severity"], r.Expr, during, place}, " "))
		require.NotEmpty(t, r.Annotations["summary"], r.Alert)
	}
	require.ElementsMatch(t, want, got)
}

// The rules of another service are made as the runbook says.
func TestRules_ofAnotherService(t *testing.T) {
	runbook, err := os.ReadFile("../../docs/runbook.md")
	require.NoError(t, err)
	command := regexp.MustCompile("(?m)^sed .*$").FindString(string(runbook))
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir = "../.."
	made, err := cmd.Output()
	require.NoError(t, err)
	require.NotContains(t, strings.ToLower(strings.ReplaceAll(string(made), "/etc/prometheus/allocation", "")), "allocation")
	path := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(path, made, 0o600))
	out, err := promtool(t, ".", "check", "rules", path)
	require.NoError(t, err, out)
	require.Contains(t, out, fmt.Sprintf("%d rules found", len(rules(t))))
}

// promtool checks rules and runs their tests.
func promtool(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	path, err := filepath.Abs("../../.cache/bin/promtool")
	require.NoError(t, err)
	if _, err := os.Stat(path); err != nil {
		path, err = exec.LookPath("promtool")
		require.NoError(t, err, "promtool of Prometheus is missing: `make test` gets it on Debian; elsewhere install it")
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestRules_fireOnWhatTheyAreAbout(t *testing.T) {
	out, err := promtool(t, ".", "check", "rules", "rules.yaml")
	require.NoError(t, err, out)
	out, err = promtool(t, ".", "test", "rules", "rules_test.yaml")
	require.NoError(t, err, out)
	tests, err := os.ReadFile("rules_test.yaml")
	require.NoError(t, err)
	for _, r := range rules(t) {
		require.Contains(t, string(tests), "alertname: "+r.Alert+"\n")
	}
}

// compose.yaml is Prometheus' configuration for deploy/compose.yaml; it names the rules.
func TestCompose_isAConfiguration(t *testing.T) {
	out, err := promtool(t, ".", "check", "config", "compose.yaml")
	require.NoError(t, err, out)
	require.Contains(t, out, "rules.yaml")
}

// Where no rule fires, the test of each one fails: so each test can fail.
func TestRules_haveTestsThatCanFail(t *testing.T) {
	broken, err := os.ReadFile("rules.yaml")
	require.NoError(t, err)
	tests, err := os.ReadFile("rules_test.yaml")
	require.NoError(t, err)
	for _, r := range rules(t) {
		broken = bytes.Replace(broken, []byte("expr: "+r.Expr+"\n"), []byte("expr: vector(0) > 1\n"), 1)
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yaml"), broken, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules_test.yaml"), tests, 0o600))
	out, err := promtool(t, dir, "test", "rules", "rules_test.yaml")
	require.Error(t, err)
	for _, r := range rules(t) {
		require.Contains(t, out, "alertname: "+r.Alert+",", r.Alert)
	}
}
