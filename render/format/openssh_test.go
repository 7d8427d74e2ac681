package format

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What passes for PEM ssh-keygen reads, whatever a store, an editor or a template did to the key,
// and what it does not read does not pass.
func TestKeysAsSSHReadsThem(t *testing.T) {
	ssh := judge(t, "ssh-keygen")
	dir := t.TempDir()
	keys := make(map[string]string)
	for name, args := range map[string][]string{
		"ed25519": {"-t", "ed25519"}, "rsa": {"-t", "rsa", "-b", "2048"}, "rsa in PEM": {"-t", "rsa", "-b", "2048", "-m", "PEM"},
		"ecdsa": {"-t", "ecdsa"}, "ecdsa in PKCS8": {"-t", "ecdsa", "-m", "PKCS8"},
	} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if out, err := exec.Command(ssh, append(args, "-q", "-N", "", "-f", path)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = string(text)
	}
	body := func(key string) string { return strings.TrimSuffix(key, "\n") }
	for what, edit := range map[string]func(key string) string{
		"as it is":               func(k string) string { return k },
		"no last newline":        body,
		"lines of Windows":       func(k string) string { return strings.ReplaceAll(k, "\n", "\r\n") },
		"last line of Windows":   func(k string) string { return body(k) + "\r\n" },
		"last line of old Macs":  func(k string) string { return body(k) + "\r" },
		"an empty line before":   func(k string) string { return "\n" + k },
		"text before":            func(k string) string { return "comment\n" + k },
		"empty lines behind":     func(k string) string { return k + "\n\n" },
		"text behind":            func(k string) string { return k + "comment\n" },
		"a blank at the end":     func(k string) string { return body(k) + " " },
		"a blank in the end":     func(k string) string { return body(k) + " \n" },
		"a blank in the first":   func(k string) string { return strings.Replace(k, "\n", " \n", 1) },
		"blanks at line ends":    func(k string) string { return strings.ReplaceAll(k, "\n", " \n") },
		"\\n for line breaks":    func(k string) string { return strings.ReplaceAll(k, "\n", `\n`) },
		"blanks for line breaks": func(k string) string { return strings.ReplaceAll(k, "\n", " ") },
		"a byte order mark":      func(k string) string { return "\ufeff" + k },
		"cut off":                func(k string) string { return k[:len(k)/2] },
		"a line less": func(k string) string {
			l := strings.SplitAfter(k, "\n")
			return strings.Join(append(l[:2:2], l[3:]...), "")
		},
		"a header":      func(k string) string { return strings.Replace(k, "\n", "\nX: y\n\n", 1) },
		"an empty line": func(k string) string { return strings.Replace(k, "\n", "\n\n", 2) },
	} {
		for name, key := range keys {
			text := edit(key)
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, failed := exec.Command(ssh, "-y", "-P", "", "-f", path).CombinedOutput()
			err := Format{"pem"}.Check([]byte(text))
			// Of the other forms some are refused that OpenSSL reads, and other readers do not.
			if openssh := strings.Contains(key, openSSH); failed != nil && err == nil || err != nil && failed == nil && (openssh || what == "as it is") {
				t.Errorf("%s, %s: %v, and ssh-keygen: %v: %s", name, what, err, failed, out)
			}
			if err != nil && what == "no last newline" && !strings.Contains(err.Error(), "its last line ends with a line break, which is missing here") {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}
