package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"allocation/deploy/local"
)

// Build builds a program of this module, and returns where it is: in a folder that stays, where go
// links it again only after a change. So the packages of a run share one build, and a test must not
// change the file.
func Build(program string, flags ...string) (string, error) {
	module, err := moduleDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(module, ".cache", "programs", filepath.Base(program)+strings.Join(flags, ""))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	lock, err := local.LockFile(path + ".lock")
	if err != nil {
		return "", err
	}
	defer lock.Close()
	args := append([]string{"build", "-o", path}, flags...)
	if out, err := exec.Command("go", append(args, program)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", program, err, out)
	}
	return path, nil
}

func moduleDir() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
