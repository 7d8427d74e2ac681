package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/long"
)

// TestLyingEndpoint has whoever stands where Secrets Manager should be answer forty questions at
// once, without -long eight, with what it likes. The daemon takes at most 64 MiB more than it did
// before, names the cause, and serves those who do not ask there.
func TestLyingEndpoint(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector has memory of its own")
	}
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 32<<20))
	_ = z.Close()
	member := bomb.Bytes()
	for range 127 { // 4 MB, of 4 GiB
		_, _ = bomb.Write(member)
	}
	for name, lie := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			_, err := io.WriteString(w, `{"SecretString":"`)
			for err == nil {
				_, err = w.Write(bytes.Repeat([]byte("x"), 64<<10))
			}
		}, "the answer has more bytes than any of AWS's"},
		"gzip": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, "the answer is compressed, though nobody asked for that"},
		"wide": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"VersionStages":["x"`+strings.Repeat(`,"x"`, 1_000_000)+`]}`)
		}, "the answer holds more values than any of AWS's"},
		"long": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"Name":"x","VersionId":"x","SecretString":"`+strings.Repeat(`\u0041`, 600_000)+`"}`)
		}, "the answer holds a value that is longer than AWS stores"},
		"largest": {func(w http.ResponseWriter, _ *http.Request) { // as AWS's may be
			_, _ = io.WriteString(w, `{"Name":"x","VersionId":"x","SecretString":"`+strings.Repeat(`\u0041`, 64<<10)+`"}`)
		}, ""},
		"slow": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				<-time.After(100 * time.Millisecond)
			}
		}, "within 3s"},
		"page":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>Log in</html>") }, "a web page came in the place of AWS's answer"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusTemporaryRedirect) }, "HTTP 307, a redirect, which is not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { lie.answer(w, r) }))
			defer liar.Close()
			fake := awsfake.Start(t)
			fake.PutParameter("/app/key", "String", "0")
			dir := t.TempDir()
			var b strings.Builder
			timeout := "1m" // a busy machine takes its time to read what is long
			if name == "slow" {
				timeout = "3s"
			}
			b.WriteString("state_dir: state\nschedule: '@every 1h'\nsplay: 0s\naws: {timeout: " + timeout + "}\nservices:\n")
			b.WriteString("  good: {schedule: '@every 1s', files: [{path: good, content: '{{ param \"/app/key\" }}'}]}\n")
			b.WriteString("  bad: {files: [{path: bad, content: '")
			for i := range long.Or(8, 40) {
				fmt.Fprintf(&b, `{{ secret "s%d" | len }}`, i)
			}
			b.WriteString("'}]}\n")
			good := strings.ReplaceAll(b.String(), "  bad:", "  #bad:")
			write(t, filepath.Join(dir, "rendered.yaml"), good)
			cmd := exec.Command(program(t), "run", "-c", "rendered.yaml")
			log, err := os.Create(filepath.Join(dir, "log"))
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			cmd.Dir, cmd.Stderr = dir, log
			cmd.Env = append(os.Environ(), append(fake.Env(), "AWS_ENDPOINT_URL_SECRETS_MANAGER="+liar.URL)...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
			follows := func(value string) {
				t.Helper()
				fake.PutParameter("/app/key", "String", value)
				until(t.Fatalf, "the good service follows", func() bool {
					data, _ := os.ReadFile(filepath.Join(dir, "good"))
					return string(data) == value
				})
			}
			follows("1")
			s := &soak{t: t, cmd: cmd}
			before := s.status("VmHWM:")
			write(t, filepath.Join(dir, "rendered.yaml"), b.String())
			if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			said := func() string {
				data, _ := os.ReadFile(filepath.Join(dir, "log"))
				return string(data)
			}
			until(t.Fatalf, "the cause is said", func() bool {
				if lie.says == "" {
					_, err := os.Stat(filepath.Join(dir, "bad"))
					return err == nil
				}
				return strings.Contains(said(), lie.says)
			})
			follows("2")
			if after := s.status("VmHWM:"); after-before > 64<<10 {
				t.Errorf("it took %d MiB more", (after-before)>>10)
			} else {
				t.Logf("it took %d MiB more", (after-before)>>10)
			}
		})
	}
}
