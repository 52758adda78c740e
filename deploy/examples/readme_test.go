// Package examples holds small clients of the service in several languages, for people to copy. The
// README shows their rule.
package examples

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README shows what a consumer has to do as the examples do it.
func TestReadme_showsTheRuleOfTheExamples(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, section, _ := strings.Cut(string(readme), "\n## What a consumer has to do\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for language, path := range map[string]string{
		"go": "go/consumer/main.go", "python": "python/consumer.py", "java": "java/src/main/java/Consumer.java",
	} {
		program, err := os.ReadFile(path)
		require.NoError(t, err)
		shown := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(section)
		require.NotNil(t, shown, language)
		require.Contains(t, withoutIndent(string(program)), withoutIndent(shown[1]), path)
	}
}

func withoutIndent(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
