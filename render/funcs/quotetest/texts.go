// Package quotetest has what functions that quote, and what reads their files, are tested with:
// texts that are awkward to write, and spellings of environment files with what systemd makes of
// each. It is for tests alone.
package quotetest

import (
	"math/rand/v2"
	"strings"
)

// Awkward are values that break quoting done by hand.
var Awkward = []string{
	"plain", "", "482913", "true", "null", "~", "p%z \" \\ < > & '", "two\nlines\n", " leading and trailing ", "-leading", "#no comment", "a: b", "[x]", "{x}", "*x", "&x", "!x",
	"$HOME `id` $(id) ${x}", `\n \t \\`, "tab\there", "naïve ☃ 🙂", "\x7f\u0085\u2028\ufeff", "=;,:@/", "'single'", `"double"`, "\r\n", "%d %s", "{{ template }}", "é\u0301", "\\\x7f",
}

// Random makes n texts of many kinds: of any bytes, of any characters, of what has a meaning
// somewhere, of words.
func Random(seed uint64, n int) []string {
	r := rand.New(rand.NewPCG(seed, 0))
	const special = "\"'\\`$#;=:,.@%&|<>(){}[]*?!~^+-/ \t\n\rabnrtx019EN_"
	words := strings.Fields(`* #x no yes on off true false null none E_ALL PHP_VERSION ~ 007 1.50 .8 0x1A 1e5 nan inf ${HOME} $HOME $(id) ` + "`id`" + ` \n \t \\ \" \' '' "" %d %(x)s
		<a> &amp; ]]> --> {{ x }} a: #b ;c ]`)
	texts := append([]string{}, Awkward...)
	texts = append(texts, words...)
	for len(texts) < n {
		var b strings.Builder
		kind := r.IntN(8)
		for range r.IntN(24) {
			switch kind {
			case 0:
				b.WriteByte(byte(r.IntN(256)))
			case 1:
				b.WriteRune(rune(r.IntN(0x110000))) // a surrogate becomes U+FFFD
			case 2:
				b.WriteRune(rune(r.IntN(0x300)))
			case 3:
				b.WriteString(words[r.IntN(len(words))])
			case 4:
				b.WriteByte(byte(' ' + r.IntN(95)))
			case 5:
				b.WriteByte(special[r.IntN(len(special)-21)]) // no control characters
			default:
				b.WriteByte(special[r.IntN(len(special))])
			}
		}
		if r.IntN(8) == 0 {
			b.WriteString([]string{" ", "\t", "\\", "\n", "\"", "'", "$"}[r.IntN(7)])
		}
		texts = append(texts, b.String())
	}
	return texts
}
