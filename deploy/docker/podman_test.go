//go:build containers

package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/require"
)

// podman is an engine with a storage of its own. It asks little of a machine: no file system of
// layers, no right to raise limits, no new cgroups and networks.
type podman struct {
	t    *testing.T
	args []string
}

func newPodman(t *testing.T) podman {
	t.Helper()
	_, err := exec.LookPath("podman")
	require.NoError(t, err, "apt-get install podman runc")
	dir, err := os.MkdirTemp("", "podman-*") //nolint:usetesting // t.TempDir is too long a name for its sockets
	require.NoError(t, err)
	p := podman{t, []string{
		"--root", dir + "/root", "--runroot", dir + "/run", "--storage-driver", "vfs",
		"--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "none",
	}}
	t.Cleanup(func() {
		_ = p.command("rm", "--all", "--force", "--time", "0").Run()
		require.NoError(t, os.RemoveAll(dir))
	})
	return p
}

func (p podman) command(args ...string) *exec.Cmd {
	return exec.Command("podman", append(p.args[:len(p.args):len(p.args)], args...)...)
}

func (p podman) does(input []byte, args ...string) []byte {
	p.t.Helper()
	cmd := p.command(args...)
	var failure bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &failure
	out, err := cmd.Output()
	require.NoError(p.t, err, "%s\n%s%s", args, out, failure.Bytes())
	return out
}

func TestPodman_runsTheImage(t *testing.T) {
	t.Parallel()
	p := newPodman(t)
	archive, err := image()
	require.NoError(t, err)
	p.does(archive, "load")
	works(t, func(variables []string, args ...string) *exec.Cmd {
		run := []string{
			"run", "--rm", "--network", "host", "--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096",
			"--read-only", "--read-only-tmpfs=false", "--cap-drop", "all", "--security-opt", "no-new-privileges",
		}
		for _, variable := range variables {
			run = append(run, "--env", variable)
		}
		return p.command(append(append(run, "localhost/allocation:latest"), args...)...)
	})
}

// TestPodman_buildsTheSameImage builds the Dockerfile, on an image of this machine's Go where the
// official one cannot be had, with the caches of this machine.
func TestPodman_buildsTheSameImage(t *testing.T) {
	t.Parallel()
	p := newPodman(t)
	standin := exec.Command("sh", "standin-go.sh", "localhost/golang:1.26")
	standin.Dir = "../testbed/containers"
	standin.Env = append(os.Environ(), "ENGINE=podman "+strings.Join(p.args, " "))
	out, err := standin.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, exec.Command("go", "mod", "download").Run())
	caches, err := exec.Command("go", "env", "GOMODCACHE", "GOCACHE").Output()
	require.NoError(t, err)
	modules, builds, _ := strings.Cut(strings.TrimSpace(string(caches)), "\n")
	p.does(nil, "build", "--pull=never", "--layers=false", "--network", "host", "--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:4096",
		"--volume", modules+":/go/pkg/mod", "--volume", builds+":/root/.cache/go-build",
		"--ignorefile", "Dockerfile.dockerignore", "--file", "Dockerfile", "--tag", "built", "../..")
	built, made := open(t, p.does(nil, "save", "built")), load(t)

	for _, variable := range built.image.Config.Env {
		require.True(t, variable == "HTTP_ADDR=:8080" || strings.HasPrefix(variable, "PATH="), variable)
	}
	delete(built.image.Config.Labels, "io.buildah.version")
	built.image.Config.Env, built.image.Config.WorkingDir = made.image.Config.Env, made.image.Config.WorkingDir
	require.Equal(t, made.image.Config, built.image.Config)
	require.Len(t, built.layer, len(made.layer))
	for i, want := range made.layer {
		got := built.layer[i]
		require.Equal(t, [...]any{want.Name, want.Mode, 0, 0}, [...]any{got.Name, got.Mode & 0o7777, got.Uid, got.Gid})
		require.Equal(t, digest.FromBytes(made.files[want.Name]), digest.FromBytes(built.files[got.Name]), want.Name)
	}
}
