package funcs

import (
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"github.com/rendered/rendered/internal/long"
)

func TestPHPReadsBack(t *testing.T) {
	path := program(t, "php")
	roundTrip(t, "phpQuote by PHP", phpQuote, func(t *testing.T, quoted []string) []string {
		code := "<?php\n" + numbered("$v[%d] = %s;\n", quoted) + "foreach ($v as $x) echo bin2hex($x), \"\\n\";\n"
		return hexLines(t, output(t, exec.Command(path, "-d", "display_errors=stderr", file(t, "a.php", code))))
	})
}

func TestHCLReadsBack(t *testing.T) {
	program := foreignReaders(t)
	read := func(t *testing.T, quoted []string) []string {
		return hexLines(t, output(t, exec.Command(program, "hcl", file(t, "a.tfvars", numbered("k%d = %s\n", quoted)))))
	}
	roundTrip(t, "hclQuote by HCL 2", hclQuote, read)

	// A character before and behind a letter is read as it is, or refused.
	var texts, quotes []string
	refused := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		dense := r < 0x3400 || r >= 0xf900 && r < 0x10000 || r >= 0x1d100 && r < 0x1d200 || r >= 0x2f800 && r < 0x2fa20
		if r >= 0xd800 && r < 0xe000 || !dense && r%int32(long.Or(997, 7)) > 0 {
			continue
		}
		text := string(r) + "e" + string(r)
		if q, err := hclQuote(text); err == nil {
			texts, quotes = append(texts, text), append(quotes, q)
		} else if refused++; !strings.Contains(err.Error(), "composes") {
			t.Errorf("U+%04X: %v", r, err)
		}
	}
	for i, got := range read(t, quotes) {
		if got != texts[i] {
			t.Errorf("%+q is read as %+q", texts[i], got)
		}
	}
	t.Logf("%d characters are read back, %d refused", len(texts), refused)
}

func TestHCLMarks(t *testing.T) {
	for text, want := range map[string]string{
		"${a}": `"$${a}"`, "$${a}": `"$$${a}"`, "%{if}": `"%%{if}"`, "$": `"$"`, "$${": `"$$${"`, "a$": `"a$"`, "{$}": `"{$}"`, "\n\t\r\x00\x7f": `"\n\t\r\u0000\u007f"`, `\"`: `"\\\""`, "": `""`,
	} {
		if got := quoted(t, hclQuote, text); got != want {
			t.Errorf("%q is written %s, want %s", text, got, want)
		}
	}
	if _, err := hclQuote("cafe\u0301"); err == nil {
		t.Error("a letter and its accent are taken")
	}
	if got := quoted(t, hclQuote, "caf\u00e9 \u0928\u092e\u0938\u094d\u0924\u0947 \u2764\ufe0f"); strings.Contains(got, `\u`) {
		t.Error(got)
	}
}

// java.util.Properties, where there is a JDK, and an implementation of Python's read what
// propertiesQuote writes, as keys and as values.
func TestPropertiesReadersReadBack(t *testing.T) {
	const script = `
import javaproperties
pairs = []
javaproperties.load(open(sys.argv[1], 'rb'), object_pairs_hook=pairs.extend)
for k, v in pairs:
    if k != v[1:]: raise ValueError(k)
    w(k)
`
	line := func(q string) string { return q + "=x" + q + "\n" }
	roundTrip(t, "propertiesQuote by javaproperties", propertiesQuote, func(t *testing.T, quoted []string) []string {
		lines := make([]string, len(quoted))
		for i, q := range quoted {
			lines[i] = line(q)
		}
		return pythonWith("javaproperties", script, "", "%[2]s")(t, lines)
	})
	t.Run("Java", func(t *testing.T) {
		long.Test(t)
		java, err := exec.LookPath("java")
		if err != nil || exec.Command("javac", "-version").Run() != nil {
			t.Skip("there is no JDK; it is too large to be wanted everywhere")
		}
		program := file(t, "Read.java", readProperties)
		for _, charset := range []string{"ISO-8859-1", "UTF-8"} {
			roundTrip(t, "propertiesQuote by Java, "+charset, propertiesQuote, func(t *testing.T, quoted []string) []string {
				return hexLines(t, output(t, exec.Command(java, program, file(t, "a.properties", numbered("k%d=%s\n", quoted)), charset)))
			})
		}
	})
}

// readProperties prints the values of k0, k1 and so on.
const readProperties = `
import java.nio.charset.*;
import java.nio.file.*;
import java.util.*;

class Read {
	public static void main(String[] args) throws Exception {
		Properties p = new Properties();
		p.load(Files.newBufferedReader(Path.of(args[0]), Charset.forName(args[1])));
		StringBuilder b = new StringBuilder();
		for (int i = 0; i < p.size(); i++)
			b.append(HexFormat.of().formatHex(p.getProperty("k" + i).getBytes(StandardCharsets.UTF_8))).append("\n");
		System.out.print(b);
	}
}
`

func TestProperties(t *testing.T) {
	for text, want := range map[string]string{
		`C:\dir`: `C\:\\dir`, "a=b #!": `a\=b\ \#\!`, " a ": `\ a\u0020`, "é🙂": `\u00E9\uD83D\uDE42`, "\n\r\t\f\v\x00\x7f": `\n\r\t\f\u000B\u0000\u007F`, "": "", " ": `\u0020`, "jdbc:x://h": `jdbc\:x\://h`,
	} {
		if got := quoted(t, propertiesQuote, text); got != want {
			t.Errorf("%q is written %s, want %s", text, got, want)
		}
	}
}
