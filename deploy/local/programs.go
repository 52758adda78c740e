package local

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// OldestPostgres is the oldest major version that the service runs on.
const OldestPostgres = 15

// programs are the binaries of one installed Postgres.
type programs struct {
	bin   string // the folder of initdb and postgres
	major int
}

func (p programs) path(name string) string { return filepath.Join(p.bin, name) }

// defaultPlaces are where distributions put Postgres' server programs, most of them off PATH.
var defaultPlaces = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/local/pgsql/bin",
	"/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// installedPrograms returns every usable Postgres of this machine, the newest first.
func installedPrograms() []programs {
	var found []programs
	for _, bin := range programFolders() {
		if installed, err := inspectPrograms(bin); err == nil && installed.major >= OldestPostgres {
			found = append(found, installed)
		}
	}
	slices.SortStableFunc(found, func(a, b programs) int { return cmp.Compare(b.major, a.major) })
	return found
}

func programFolders() []string {
	folders := filepath.SplitList(os.Getenv("PATH"))
	for _, pattern := range defaultPlaces {
		matches, _ := filepath.Glob(pattern)
		folders = append(folders, matches...)
	}
	return folders
}

// inspectPrograms finds out the version by asking the program. Its error says that the folder does
// not hold a Postgres that runs.
func inspectPrograms(bin string) (programs, error) {
	// The programs look for their other files beside where they really are.
	server, err := filepath.EvalSymlinks(filepath.Join(bin, "postgres"))
	if err != nil {
		return programs{}, err
	}
	bin = filepath.Dir(server)
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		return programs{}, err
	}
	output, err := exec.Command(server, "--version").Output()
	if err != nil {
		return programs{}, fmt.Errorf("%s --version: %w", server, err)
	}
	major, err := parseMajor(string(output))
	return programs{bin: bin, major: major}, err
}

// parseMajor reads the major version from what postgres --version prints, such as "postgres
// (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
func parseMajor(output string) (int, error) {
	_, version, _ := strings.Cut(output, "(PostgreSQL) ")
	digits := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(version)
	}
	major, err := strconv.Atoi(version[:digits])
	if err != nil {
		return 0, fmt.Errorf("version of Postgres in %q: %w", output, err)
	}
	return major, nil
}
