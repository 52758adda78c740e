package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRunCommand_exitCodes(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]int{
		"exit 0":                     0,
		"exit 7":                     7,
		`test "$KAFKA_BROKERS" = it`: 0,
		"kill -KILL $$":              128 + 9,
	} {
		code, err := runCommand([]string{"sh", "-c", script}, []string{"KAFKA_BROKERS=it"}, nil)
		require.NoError(t, err)
		require.Equal(t, want, code, script)
	}
	_, err := runCommand([]string{"/nowhere"}, nil, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestRunCommand_signalsReachAllItStarted(t *testing.T) {
	t.Parallel()
	ready := filepath.Join(t.TempDir(), "ready")
	signals := make(chan os.Signal)
	go func() {
		for _, err := os.Stat(ready); err != nil; _, err = os.Stat(ready) {
			<-time.After(10 * time.Millisecond)
		}
		signals <- syscall.SIGTERM
	}()
	code, err := runCommand([]string{"sh", "-c", `trap 'exit 3' TERM; sh -c ': >"$0"; exec sleep 1000' "$0"; exit 1`, ready}, nil, signals)
	require.NoError(t, err)
	require.Equal(t, 3, code)
}
