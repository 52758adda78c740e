package security

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"

	"github.com/stretchr/testify/require"
)

// tail returns the first events that `tail` prints.
func (s *site) tail(env environment, lines int) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.program, "tail", "--from-beginning")
	cmd.Env = s.plainEnvironment().with(env...)
	out, err := cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, cmd.Start())
	var text strings.Builder
	for scanner := bufio.NewScanner(out); lines > 0 && scanner.Scan(); lines-- {
		text.WriteString(scanner.Text() + "\n")
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	require.NoError(s.t, cmd.Wait())
	require.Zero(s.t, lines, text.String())
	s.outputs.add(text.String())
	return text.String()
}
