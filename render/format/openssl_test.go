package format

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openssl makes what OpenSSL's command gives.
func openssl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), judge(t, "openssl"), args...).Output()
	if err != nil {
		t.Fatalf("openssl %q: %v", args, err)
	}
	return string(out)
}

// written gives the path of a file that holds a text.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// edits are what stores, editors and templates do to a block.
var edits = map[string]func(lines []string) []string{
	"as it is":                func(l []string) []string { return l },
	"in one line":             func(l []string) []string { return []string{strings.Join(l, "")} },
	"of 76":                   func(l []string) []string { return wrapped(l, 76) },
	"of 48":                   func(l []string) []string { return wrapped(l, 48) },
	"indented":                func(l []string) []string { return each(l, func(s string) string { return "  " + s }) },
	"with blanks behind":      func(l []string) []string { return each(l, func(s string) string { return s + " \t" }) },
	"with blanks within":      func(l []string) []string { return each(l, func(s string) string { return s[:2] + " " + s[2:] }) },
	"as on Windows":           func(l []string) []string { return each(l, func(s string) string { return s + "\r" }) },
	"an empty first":          func(l []string) []string { return append([]string{""}, l...) },
	"an empty first, of 76":   func(l []string) []string { return append([]string{""}, wrapped(l, 76)...) },
	"an empty first, of 48":   func(l []string) []string { return append([]string{""}, wrapped(l, 48)...) },
	"an empty second":         func(l []string) []string { return append([]string{l[0], ""}, l[1:]...) },
	"a second of blanks":      func(l []string) []string { return append([]string{l[0], " \t"}, l[1:]...) },
	"an empty last":           func(l []string) []string { return append(l[:len(l):len(l)], "") },
	"twice as many":           func(l []string) []string { return each(l, func(s string) string { return s + "\n" }) },
	"a header, not ended":     func(l []string) []string { return append([]string{"X: y"}, l...) },
	"nothing of encryption":   func(l []string) []string { return append([]string{"Proc-Type: 4,CLEAR", ""}, l...) },
	"a blank in an empty one": func(l []string) []string { return append([]string{" "}, l...) },
}

func each(lines []string, edit func(string) string) []string {
	edited := make([]string, len(lines))
	for i, l := range lines {
		edited[i] = edit(l)
	}
	return edited
}

// wrapped gives a text in lines of a width.
func wrapped(lines []string, width int) (list []string) {
	text := strings.Join(lines, "")
	for ; len(text) > width; text = text[width:] {
		list = append(list, text[:width])
	}
	return append(list, text)
}

// What passes for PEM OpenSSL reads, and what it does not read does not pass, whatever became of
// the lines within a block.
func TestBlocksAsOpenSSLReadsThem(t *testing.T) {
	rsa := openssl(t, "genrsa", "2048")
	path := written(t, rsa)
	blocks := map[string]string{
		"PKCS8": rsa, "PKCS1": openssl(t, "rsa", "-traditional", "-in", path), "EC": openssl(t, "ecparam", "-name", "prime256v1", "-genkey", "-noout"),
		"encrypted":       openssl(t, "rsa", "-traditional", "-aes128", "-passout", "pass:x", "-in", path),
		"encrypted PKCS8": openssl(t, "pkey", "-aes128", "-passout", "pass:x", "-in", path), "certificate": openssl(t, "req", "-x509", "-subj", "/CN=x", "-key", path),
		"public": openssl(t, "pkey", "-pubout", "-in", path), "request": openssl(t, "req", "-new", "-subj", "/CN=x", "-key", path),
	}
	reads := map[string][]string{"certificate": {"x509"}, "public": {"pkey", "-pubin"}, "request": {"req"}}
	read, refused := 0, 0
	for kind, block := range blocks {
		lines := strings.Split(strings.TrimSuffix(block, "\n"), "\n")
		first, last := 1, len(lines)-1
		if kind == "encrypted" { // its headers stay as they are
			first = 4
		}
		args := reads[kind]
		if args == nil {
			args = []string{"pkey", "-passin", "pass:x"}
		}
		args = append(args, "-noout", "-in")
		for what, edit := range edits {
			text := strings.Join(lines[:first], "\n") + "\n" + strings.Join(edit(lines[first:last]), "\n") + "\n" + lines[last] + "\n"
			out, failed := exec.CommandContext(t.Context(), judge(t, "openssl"), append(args, written(t, text))...).CombinedOutput()
			err := Format{"pem"}.Check([]byte(text))
			if (err == nil) != (failed == nil) {
				t.Errorf("%s, %s: %v, and openssl: %v: %.300s", kind, what, err, failed, out)
			}
			if failed == nil {
				read++
			} else {
				refused++
			}
		}
	}
	t.Logf("%d are read, %d are not", read, refused)
	if read < 20 || refused < 20 {
		t.Error("one of them is too few")
	}
}

// Keys and certificates pass whose algorithms, curves and numbers other programs know and Go does
// not; what only looks like one does not.
func TestBlocksThatGoDoesNotKnow(t *testing.T) {
	for name, args := range map[string][]string{
		"Ed448": {"-algorithm", "ED448"}, "X448": {"-algorithm", "X448"}, "RSA-PSS": {"-algorithm", "RSA-PSS"},
		"secp256k1": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"}, "brainpool": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"},
		"explicit": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"},
	} {
		key := openssl(t, append([]string{"genpkey"}, args...)...)
		path := written(t, key)
		texts := []string{key}
		if name != "X448" {
			texts = append(texts, openssl(t, "req", "-x509", "-subj", "/CN=x", "-key", path))
		}
		if args[1] == "EC" {
			texts = append(texts, openssl(t, "ec", "-in", path))
		}
		for _, text := range texts {
			if err := (Format{"pem"}).Check([]byte(text)); err != nil {
				t.Errorf("%s: %v\n%s", name, err, text)
			}
			block := strings.Split(text, "\n")
			cut := strings.Join(append(block[:1:1], block[2:]...), "\n")
			if err := (Format{"pem"}).Check([]byte(cut)); len(block) > 4 && err == nil {
				t.Errorf("%s without its first line passes", name)
			}
		}
	}
	rsa := written(t, openssl(t, "genrsa", "2048"))
	for _, serial := range []string{"-5", "0"} {
		if err := (Format{"pem"}).Check([]byte(openssl(t, "req", "-x509", "-subj", "/CN=x", "-set_serial", serial, "-key", rsa))); err != nil {
			t.Errorf("serial %s: %v", serial, err)
		}
	}
}
