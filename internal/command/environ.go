package command

import (
	"os"
	"slices"
	"strings"
)

// withheld are the variables of the daemon's own environment that no child gets: what gives access
// to AWS, and what systemd gave to the daemon alone (sd_notify(3), sd_listen_fds(3),
// systemd.exec(5)). A name that ends with * stands for all that begin like it.
var withheld = []string{
	"AWS_ACCESS_KEY_ID",
	"AWS_ACCESS_KEY",
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SECRET_KEY",
	"AWS_SESSION_TOKEN",
	"AWS_SECURITY_TOKEN",
	"AWS_CREDENTIAL_EXPIRATION",
	"AWS_CONTAINER_*",
	"AWS_WEB_IDENTITY_TOKEN_FILE",
	"NOTIFY_SOCKET",
	"WATCHDOG_*",
	"LISTEN_*",
	"CREDENTIALS_DIRECTORY",
	"JOURNAL_STREAM",
	"RENDERED_*",
}

// environ gives the daemon's environment without the withheld variables, and what is added, which
// wins.
func environ(added []string) []string {
	kept := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.ContainsFunc(withheld, func(w string) bool {
			head, prefix := strings.CutSuffix(w, "*")
			return name == w || prefix && strings.HasPrefix(name, head)
		})
	})
	return append(kept, added...)
}
