package cli

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAgain_isReadByAShellAsItWas(t *testing.T) {
	for _, value := range []string{"CHAIR", "-x", `a b`, `it's`, `$(id) "x" \ * ~`, "o\u202e1'\\", "x\U000E0041y", `["","a<b",3]`, "é漢"} {
		p := &Program{Name: "echo", args: []string{"list", "--after", "before", "--sku-prefix=a b", "--after=x", "--json"}}
		line := p.Again("--after", value)
		require.Equal(t, Printable(line), line)
		cmd := exec.CommandContext(t.Context(), "bash", "-c", `function echo { printf '%s\n' "$@"; }; `+line)
		cmd.Env = []string{"LC_ALL=C.UTF-8"}
		out, err := cmd.Output()
		require.NoError(t, err)
		require.Equal(t, "list\n--sku-prefix=a b\n--json\n--after="+value+"\n", string(out), line)
	}
}
