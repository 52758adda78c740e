package testbed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"allocation/deploy/local"
	"allocation/migrations"
)

// VersionBefore is a commit whose workers must be able to work together with this version's, and
// SchemaBefore the schema that it makes. After a release they move to its commit; nobody may
// change a migration that is not above SchemaBefore any more. Where no release is yet, they move
// when a change has to break the older workers, which CHANGELOG.md then says.
const VersionBefore = "50582d8ef49bd0b842868a8c2b81ddb88d5d8d92"

// SchemaBefore is that of the engine and of the products.
var SchemaBefore = migrations.Version{6, 3}

// ErrNoHistory says that VersionBefore cannot be built: these are sources without their history.
var ErrNoHistory = errors.New("take a clone with its history (git fetch --unshallow), not a shallow one or an archive of the sources")

// BuildBefore builds a program of VersionBefore out of the repository's history, and returns where
// it is. Once built it stays, like those of Build. Its error is ErrNoHistory where that is not
// there.
func BuildBefore(program string) (string, error) {
	module, err := moduleDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(module, ".cache", "programs", filepath.Base(program)+"-"+VersionBefore[:12])
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	lock, err := local.LockFile(path + ".lock")
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return path, err
	}
	sources, err := os.MkdirTemp("", "allocation-before-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(sources)
	if err := checkOut(module, sources); err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, program)
	build.Dir = sources
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s of commit %s: %w\n%s", program, VersionBefore, err, out)
	}
	return path, nil
}

// checkOut writes the files of VersionBefore into a folder.
func checkOut(module, to string) error {
	git := []string{"-c", "safe.directory=*", "-C", module} // a clone may be another user's
	if out, err := exec.Command("git", slices.Concat(git, []string{"cat-file", "-e", VersionBefore + "^{commit}"})...).CombinedOutput(); err != nil {
		return fmt.Errorf("the history here does not have commit %s, whose workers are tried together with these: %w\n%s", VersionBefore, ErrNoHistory, out)
	}
	archive := filepath.Join(to, "sources.tar")
	for _, args := range [][]string{
		slices.Concat([]string{"git"}, git, []string{"archive", "--format=tar", "--output=" + archive, VersionBefore}),
		{"tar", "-xf", archive, "-C", to},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}
