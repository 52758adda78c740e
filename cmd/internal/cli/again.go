package cli

import (
	"fmt"
	"strings"
	"unicode"
)

// Again is the command line of this run with another value of a flag, as a shell reads it.
func (p *Program) Again(flag, value string) string {
	words := []string{p.Name}
	for i := 0; i < len(p.args); i++ {
		if p.args[i] == flag {
			i++ // its value
		} else if !strings.HasPrefix(p.args[i], flag+"=") {
			words = append(words, p.args[i])
		}
	}
	return Quote(words...) + " " + flag + "=" + quote(value)
}

// Quote writes words as a shell reads them.
func Quote(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quote(word)
	}
	return strings.Join(quoted, " ")
}

// quote writes a word as a shell reads it. Characters that Printable replaces are written by their
// numbers, as bash, zsh and ksh read them.
func quote(word string) string {
	const plain = "-_./:=,+@%"
	switch {
	case strings.ContainsFunc(word, confuses):
	case word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(plain, r)
	}):
		return word
	default:
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for _, r := range word {
		switch {
		case confuses(r):
			fmt.Fprintf(&b, `\U%08X`, r)
		case r == '\'' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return "$'" + b.String() + "'"
}
