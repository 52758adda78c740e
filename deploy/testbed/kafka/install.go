package kafka

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"allocation/deploy/local"
)

// Version of Apache Kafka that pom.xml names.
const Version = "4.3.1"

//go:embed pom.xml
var pom []byte

// Jars returns the folder of the server's jars, in the user's cache folder, after fetching them by
// Maven where they are not there yet. Its error says that there is no Maven, or shows what Maven
// said.
func Jars(ctx context.Context) (string, error) {
	cache, err := local.CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, fmt.Sprintf("kafka-%s-%.4x", Version, sha256.Sum256(pom)))
	err = local.InstallOnce(dir, func(dir string) error { return fetchJars(ctx, dir) })
	return dir, err
}

func fetchJars(ctx context.Context, dir string) error {
	maven, err := exec.LookPath("mvn")
	if err != nil {
		return fmt.Errorf("mvn is missing: Apache Kafka is fetched by Maven: install it, for example by apt-get install maven: %w", err)
	}
	scratch, err := os.MkdirTemp("", "allocation-kafka-pom-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	file := filepath.Join(scratch, "pom.xml")
	if err := os.WriteFile(file, pom, 0o644); err != nil {
		return err
	}
	fetch := exec.CommandContext(ctx, maven, "-q", "-B", "-f", file, "dependency:copy-dependencies", "-DoutputDirectory="+dir)
	if output, err := fetch.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch Apache Kafka %s by Maven: %w\n%s", Version, err, output)
	}
	return nil
}

// java returns the Java that JAVA_HOME names, or the one on PATH. Its error says what to install.
func java() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", "java"), nil
	}
	path, err := exec.LookPath("java")
	if err != nil {
		return "", fmt.Errorf("java is missing: Apache Kafka needs Java 17 or later: install it, for example by apt-get install default-jre-headless: %w", err)
	}
	return path, nil
}
