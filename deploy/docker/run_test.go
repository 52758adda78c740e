package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/local"
	"allocation/deploy/local/child"
	"allocation/deploy/testbed"
)

// engine makes a command that runs the image with arguments (its own without any) and variables.
type engine func(variables []string, args ...string) *exec.Cmd

// TestImage_worksOnAReadOnlyRoot needs no engine and no rights, only Linux' namespaces: the image's
// files are the root, nobody can write to it, and the program's user is the image's.
func TestImage_worksOnAReadOnlyRoot(t *testing.T) {
	testbed.Long(t)
	t.Parallel()
	l, root := load(t), filepath.Join(t.TempDir(), "root")
	require.NoError(t, writeFolder(root, l.contents()))
	user, group, _ := strings.Cut(l.image.Config.User, ":")
	// Each program takes the place of the one before it, so that signals reach the last.
	apart := []string{"--mount"}
	enter := fmt.Sprintf(`chroot --userspec=%s:%s "$0"`, user, group)
	if os.Getuid() != 0 { // the first namespace allows to mount, the second has only the image's user
		apart = []string{"--user", "--map-root-user", "--mount"}
		enter = fmt.Sprintf(`unshare --user --map-user=%s --map-group=%s --root="$0" --wd=/`, user, group)
	}
	script := `mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec ` + enter + ` "$@"`
	out, err := exec.Command("unshare", append(slices.Clip(apart), "mount", "--bind", root, root)...).CombinedOutput()
	require.NoError(t, err, "%sthis machine must let its user make namespaces, or the test be run as root", out)
	works(t, func(variables []string, args ...string) *exec.Cmd {
		if len(args) == 0 {
			args = l.image.Config.Cmd
		}
		inside := append(append([]string{root}, l.image.Config.Entrypoint...), args...)
		cmd := exec.Command("unshare", append(append(slices.Clip(apart), "sh", "-c", script), inside...)...)
		cmd.Env = append(append([]string{"PATH=" + os.Getenv("PATH")}, l.image.Config.Env...), variables...)
		return cmd
	})
}

// works shows that the image does what it is for: it answers, sets up a database and topics, runs a
// worker that gets ready, and ends in order at SIGTERM.
func works(t *testing.T, engine engine) {
	t.Helper()
	answers := func(variables []string, args ...string) string {
		out, err := engine(variables, args...).CombinedOutput()
		require.NoError(t, err, "%s\n%s", args, out)
		return string(out)
	}
	require.NotEmpty(t, answers(nil, "--version"))
	require.Contains(t, answers(nil, "--help"), "Run a worker until SIGTERM.")

	port, err := local.FreePort()
	require.NoError(t, err)
	addr, name := fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("image-%d", port)
	variables := []string{
		"KAFKA_BROKERS=" + testbed.Kafka(t), "KAFKA_GROUP_ID=" + name, "DATABASE_URL=" + testbed.Database(t),
		"COMMAND_TOPICS=" + testbed.Topic(t, "commands", 2), "EVENTS_TOPIC=" + testbed.Topic(t, "events", 2),
		"DEAD_LETTER_TOPIC=" + testbed.Topic(t, "dead", 2), "HTTP_ADDR=" + addr, "TZ=Asia/Tokyo",
	}
	answers(variables, "migrate", "up")
	answers(variables, "topics", "create")

	var log bytes.Buffer
	worker := engine(variables)
	worker.Stdout, worker.Stderr = &log, &log
	process, err := child.Start(worker, syscall.SIGKILL)
	require.NoError(t, err)
	defer func() {
		process.Kill()
		if t.Failed() {
			t.Logf("the worker's log:\n%s", log.Bytes())
		}
	}()
	const start, stop = time.Minute, 40 * time.Second
	require.Eventually(t, func() bool { return !process.Running() || ready(addr) }, start, 50*time.Millisecond)
	require.True(t, process.Running(), "the worker ended")
	ctx, cancel := context.WithTimeout(t.Context(), stop)
	defer cancel()
	require.NoError(t, process.End(ctx, syscall.SIGTERM))
	require.NoError(t, process.Err(), "exit code 0")
	require.Contains(t, log.String(), "worker stopped")
	require.Contains(t, log.String(), `+09:00","level"`, "it knows the time zone")
}

func ready(addr string) bool {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + addr + "/readyz")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}
