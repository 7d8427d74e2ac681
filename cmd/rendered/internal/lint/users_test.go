package lint

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Who is in a group are those whose own it is, and its members.
func TestUsersOfAGroup(t *testing.T) {
	dir := t.TempDir()
	u := users{filepath.Join(dir, "passwd"), filepath.Join(dir, "group")}
	for path, text := range map[string]string{
		u.passwd: "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/:/bin/false\nann:x:1000:100::/:/bin/sh\nbob:x:1001:100::/:/bin/sh\nbroken\n",
		u.group:  "root:x:0:ann\nweb:x:33:\nusers:x:100:ann,eve\nssl:x:101:web\nboth:x:102:web,ann\nbroken:x\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for gid, want := range map[int][]string{0: nil, 33: {"web"}, 100: {"ann", "bob", "eve"}, 101: {"web"}, 102: {"ann", "web"}, 7: nil} {
		if got := u.of(gid); !slices.Equal(got, want) {
			t.Errorf("group %d: %q, want %q", gid, got, want)
		}
	}
}

// What a key is called says what it is the key of.
func TestNamesOfKeys(t *testing.T) {
	for name, want := range map[string]string{
		"key": "key", "private_key": "key", "privateKey": "key", "tls.key": "key", "server-key": "key", "id_ed25519": "key", "ssh_key": "key", "host_key": "key", "key.pem": "key",
		"api_key": "secret", "access_key": "secret", "secret_key": "secret", "signing_key": "secret", "password": "secret", "token": "secret", "license_key": "secret", "": "secret",
		"cert": "harmless", "certificate": "harmless", "tls.crt": "harmless", "ca": "harmless", "ca.crt": "harmless", "fullchain": "harmless", "chain": "harmless", "public_key": "harmless",
		"host": "harmless", "port": "harmless", "username": "harmless", "dbname": "harmless", "certificate_password": "secret", "hostkey": "secret",
	} {
		lower := strings.ToLower(name)
		got := "secret"
		switch {
		case certificateKey.MatchString(lower) || factKey.MatchString(lower):
			got = "harmless"
		case privateHalf(lower):
			got = "key"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
