package sources

import "testing"

// Whoever can mend it is named, of every reason.
func TestWhose(t *testing.T) {
	secret := Ref{Kind: Secret, Name: "prod/db"}
	for reason, want := range map[Reason]string{
		Missing:       "the author of the template, or the owner of secret prod/db",
		Unanswerable:  "the author of the template, or the owner of secret prod/db",
		Deleted:       "the owner of secret prod/db",
		Undecryptable: "the owner of secret prod/db",
		Changing:      "the owner of secret prod/db",
		Denied:        "the owner of this machine's role",
		Throttled:     "the owner of the account, which is asked too often",
		Unavailable:   Machine,
		Credentials:   Machine,
	} {
		if got := (&Error{Ref: secret, Reason: reason}).Whose(); got != want {
			t.Errorf("%s: %s, want %s", reason, got, want)
		}
	}
	for _, e := range []*Error{{Ref: Ref{Kind: File, Name: "/f"}, Reason: Missing}, {Ref: Ref{Kind: IMDS, Name: "x"}, Reason: Denied}} {
		if got := e.Whose(); got != Machine {
			t.Errorf("%v: %s", e, got)
		}
	}
	if got := (&Error{Ref: secret, Reason: Unavailable, Turn: "AWS"}).Whose(); got != "AWS" {
		t.Error(got)
	}
}
