package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// downloadable are the versions that can be downloaded, by major version.
var downloadable = map[int]embeddedpostgres.PostgresVersion{
	15: embeddedpostgres.V15,
	16: embeddedpostgres.V16,
	17: embeddedpostgres.V17,
	18: embeddedpostgres.V18,
}

// downloadedByDefault is the version for a machine without Postgres and a folder without data.
const downloadedByDefault = 18

// downloadPrograms returns the programs of a major version from the user's cache folder, after
// downloading them where they are not there yet. It tells output what it downloads and where it
// keeps it. Processes that need them at the same time wait for the first.
func downloadPrograms(major int, output io.Writer) (programs, error) {
	version, ok := downloadable[major]
	if !ok {
		return programs{}, fmt.Errorf("Postgres %d cannot be downloaded", major)
	}
	cache, err := CacheDir()
	if err != nil {
		return programs{}, err
	}
	home := filepath.Join(cache, "postgres-"+string(version))
	err = InstallOnce(home, func(dir string) error {
		fmt.Fprintf(output, "Postgres is not installed here: downloading Postgres %s (about 30 MB) from Maven Central, kept in %s\n", version, home)
		return fetchPrograms(version, dir)
	})
	if err != nil {
		return programs{}, fmt.Errorf("download Postgres %s (or install it, for example by apt-get install postgresql): %w", version, err)
	}
	return inspectPrograms(filepath.Join(home, "bin"))
}

// fetchPrograms puts the programs of a version into a folder by embedded-postgres, which knows
// where they are and checks their sum.
//
// It has no way to fetch without starting, and starting is not wanted: it cannot run as root. So it
// is given a data folder that looks used, which makes it skip initdb, and is empty, which makes the
// start fail at once. What counts is whether the programs are there.
func fetchPrograms(version embeddedpostgres.PostgresVersion, dir string) error {
	scratch, err := os.MkdirTemp("", "allocation-download-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	data := filepath.Join(scratch, "data")
	major, _, _ := strings.Cut(string(version), ".")
	if err := errors.Join(os.Mkdir(data, 0o700), os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(major+"\n"), 0o600)); err != nil {
		return err
	}
	port, err := FreePort()
	if err != nil {
		return err
	}
	started := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(version).Port(uint32(port)).DataPath(data).BinariesPath(dir).Logger(io.Discard).
		CachePath(filepath.Join(scratch, "cache")).RuntimePath(filepath.Join(scratch, "runtime"))).Start()
	if _, err := inspectPrograms(filepath.Join(dir, "bin")); err != nil {
		return fmt.Errorf("%w (%w)", started, err)
	}
	return nil
}
