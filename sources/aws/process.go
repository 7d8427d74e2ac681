package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
	"unicode"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// A process is the credential_process of a profile:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
type process struct {
	command, profile string
	connections      *connections
}

const (
	// processWithin is how long a credential_process may run, as with the SDK.
	processWithin = time.Minute
	processOutput = 64 << 10 // bytes of stdout
	processErrors = 4 << 10  // bytes of stderr that are kept
	processLinger = time.Second
)

// A processError is why a credential_process gave no credentials. It holds nothing that looks like
// one.
type processError struct{ profile, what, said string }

func (e *processError) Error() string {
	text := "credential_process of profile " + e.profile + " " + e.what
	if e.said != "" {
		text += ": " + e.said
	}
	return text
}

// Retrieve runs the command. It gets nothing on stdin. When it has ended, or the time is over, or
// ctx ends, all of its process group is killed.
func (p *process) Retrieve(ctx context.Context) (awssdk.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, processWithin)
	defer cancel()
	out, said := head{limit: processOutput}, head{limit: processErrors}
	cmd := exec.CommandContext(ctx, "sh", "-c", p.command)
	cmd.Env = os.Environ()
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = processLinger
	err := cmd.Start()
	if err == nil {
		// While it is a zombie no other group can get its number.
		command.Await(cmd.Process.Pid)
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		err = cmd.Wait()
	}
	failed := &processError{profile: p.profile, said: harmless(said.String(), out.Bytes())}
	switch exited := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		failed.what = "did not end in time"
	case errors.As(err, &exited):
		failed.what = "ended with " + exited.ProcessState.String()
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		failed.what, failed.said = "could not be started", ""
	default:
		c, what := parseProcess(out.Bytes())
		if what == "" {
			p.connections.say("credential_process", "profile", p.profile, "stderr", failed.said)
			return c, nil
		}
		failed.what = what
	}
	return awssdk.Credentials{}, failed
}

// parseProcess reads what a credential_process printed, or says what is wrong with it.
func parseProcess(out []byte) (c awssdk.Credentials, wrong string) {
	var answer struct {
		Version                                               int
		AccessKeyId, SecretAccessKey, SessionToken, AccountId string
		Expiration                                            *time.Time
	}
	switch err := json.Unmarshal(out, &answer); {
	case len(bytes.TrimSpace(out)) == 0:
		return c, "printed nothing"
	case err != nil:
		return c, "printed no JSON of credentials"
	case answer.Version != 1:
		return c, "printed another Version than 1"
	case answer.AccessKeyId == "" || answer.SecretAccessKey == "":
		return c, "printed no AccessKeyId or no SecretAccessKey"
	}
	c = awssdk.Credentials{
		AccessKeyID: answer.AccessKeyId, SecretAccessKey: answer.SecretAccessKey, SessionToken: answer.SessionToken,
		AccountID: answer.AccountId, Source: "credential_process",
	}
	if answer.Expiration != nil {
		c.CanExpire, c.Expires = true, *answer.Expiration
	}
	return c, ""
}

// A head keeps the first limit bytes of what is written to it.
type head struct {
	bytes.Buffer
	limit int
}

func (h *head) Write(p []byte) (int, error) {
	_, _ = h.Buffer.Write(p[:min(len(p), h.limit-h.Len())])
	return len(p), nil
}

// keylike are the words in which a key or a token may be.
var keylike = lazyregexp.New(`[A-Za-z0-9+/=_.~-]{16,}`)

// harmless gives what a command said as one line of an error, without words that may be keys or
// tokens, and without what stood on its stdout.
func harmless(said string, out []byte) string {
	divides := func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`"{},:`, r) }
	for word := range strings.FieldsFuncSeq(string(out), divides) {
		if len(word) >= 6 && strings.ContainsAny(word, "0123456789") {
			said = strings.ReplaceAll(said, word, "‹hidden›")
		}
	}
	return oneLine(strings.Map(seen, strings.ToValidUTF8(keylike.ReplaceAllStringFunc(said, withoutKey), " ")))
}

func withoutKey(word string) string {
	if strings.ContainsAny(word, "0123456789") || len(word) >= 40 {
		return "‹hidden›"
	}
	return word
}

// seen gives a blank for what no terminal is to obey.
func seen(r rune) rune {
	if unicode.IsControl(r) || r == unicode.ReplacementChar {
		return ' '
	}
	return r
}

// say tells the log of what belongs to no ref, where there is one and something to say.
func (c *connections) say(what string, args ...any) {
	if c.log == nil || args[len(args)-1] == "" {
		return
	}
	if log := c.log.Load(); log != nil {
		log.Info(what, args...)
	}
}
