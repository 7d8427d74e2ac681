package aws

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/awsfake"
)

// A file of AWS's configuration is read within bounds, and none is waited for, whoever names it.
func TestSettingsAreBounded(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"zero": "/dev/zero", "null": "/dev/null", "circle": "circle"} {
		if err := os.Symlink(target, path(link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(path("directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("large", "")
	if err := os.Truncate(path("large"), maxSettings+1); err != nil {
		t.Fatal(err)
	}
	write("full", "[default]\n"+string(bytes.Repeat([]byte("#\n"), maxSettings/2-5)))
	for _, tt := range []struct{ file, want string }{
		{"pipe", "not a regular file"},
		{"zero", "not a regular file"},
		{"circle", "too many levels of symbolic links"},
		{"directory", "is a directory"},
		{"large", "larger than 4 MiB"},
		{"full", ""},
		{"null", ""},
		{"missing", ""},
		{"directory/missing", ""},
	} {
		write("profile", "[profile web]\nca_bundle = "+path(tt.file)+"\n")
		for _, env := range [][]string{
			{"AWS_CONFIG_FILE=" + path(tt.file)},
			{"AWS_SHARED_CREDENTIALS_FILE=" + path(tt.file)},
			{"AWS_CA_BUNDLE=" + path(tt.file)},
			{"AWS_CONFIG_FILE=" + path("profile"), "AWS_PROFILE=web"},
		} {
			t.Run(tt.file+" "+strings.Join(env, " "), func(t *testing.T) {
				environment(t, append([]string{"AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true"}, env...)...)
				done := make(chan error, 1)
				go func() {
					s, err := New(t.Context(), Options{})
					if err == nil {
						s.Close()
					}
					done <- err
				}()
				select {
				case err := <-done:
					isShared := strings.HasSuffix(env[0], "FILE="+path(tt.file))
					switch {
					case tt.want != "" && (err == nil || !strings.Contains(err.Error(), path(tt.file)+": "+tt.want)):
						t.Errorf("%v", err)
					case tt.want == "" && isShared && err != nil:
						t.Error(err)
					case tt.want == "" && !isShared && err == nil:
						t.Error("no authority in it, and those of the system are trusted")
					}
				case <-time.After(10 * time.Second):
					t.Fatal("it waits")
				}
			})
		}
	}
}

// Root works from no file that others put there after the start: the credentials are read anew when
// they are refused, and a profile names a program to run.
func TestRootReadsNoSettingsOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	fake := awsfake.Start(t)
	fake.PutSecret("prod/db", canary)
	home := t.TempDir()
	planted, ran := filepath.Join(home, ".aws", "credentials"), filepath.Join(home, "ran")
	environment(t, "HOME="+home, "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL="+fake.URL)
	if err := os.Chown(home, 12, 12); err != nil {
		t.Fatal(err)
	}
	s := open(t, Options{})
	if got := fetchOne(t, s, "secret prod/db"); got.Err == nil {
		t.Fatal("there are no credentials yet")
	}
	if err := os.Mkdir(filepath.Dir(planted), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "[default]\ncredential_process = sh -c 'touch " + ran + `; echo "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"B\"}"'` + "\n"
	if err := os.WriteFile(planted, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	const why = "belongs to user 12); root does not work from it"
	var log bytes.Buffer
	s.LogTo(slog.New(slog.NewTextHandler(&log, nil)))
	s.Renew()
	if got := fetchOne(t, s, "secret prod/db"); got.Err == nil || !strings.Contains(log.String(), why) {
		t.Errorf("read anew: %v\n%s", got.Err, log.String())
	}
	if _, err := New(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("made anew: %v", err)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("root ran a user's program")
	}
	if err := os.Chown(home, 0, 0); err != nil {
		t.Fatal(err)
	}
	s.Renew()
	if got := fetchOne(t, s, "secret prod/db"); got.Err != nil {
		t.Errorf("where all is root's: %v", got.Err)
	}
}
