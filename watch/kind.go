package watch

import "log/slog"

// MessageID is the key of the attribute that tells what kind of entry of the log it is. The journal
// has it as MESSAGE_ID (systemd.journal-fields(7)), and packaging/systemd/rendered.catalog explains
// each.
const MessageID = "message_id"

// A kind is one of them. Its id stays what it is for ever.
type kind string

const (
	kindChanged    kind = "4ba71ab7ac0544a5acc6be1805fdf179" // a file has new contents, or another owner or mode
	kindTold       kind = "0b8e90e9f6464d5f9ae85d0928398f9f" // a dependent acknowledged a notice
	kindRefused    kind = "c4e08e67b822463b8e6980ee651011cb" // a dependent did not, and is told again
	kindFailing    kind = "a02bff2f31bf46afa8b58ab4d47a9a78" // files are not up to date, or not known to be
	kindWell       kind = "25318bf27b8849759414f6b506d002db" // they are again
	kindRejected   kind = "87a152f460ca46febd3db70b0d99ed20" // a config is not put in force
	kindUsable     kind = "e7fb3f46c9374388967dd69a83f614dc" // a config can be used again
	kindInForce    kind = "9d4615766cd44f91bda536a3a434d6f9" // a config is in force, with other services than before
	kindFaulty     kind = "9eb22b5a9059486a9d97fce60131d9b6" // a service, or a part of the config, is not in force as the config has it
	kindMended     kind = "3ddab6b5edb64e2f8d8eb596c8965f78" // it is again
	kindPaused     kind = "3ce1b34701874c05b0cc76289bd7f38b" // nobody works on a service, as somebody asked
	kindResumed    kind = "0e8a1ab6642c4eb6b450d4a77def588b" // its pause is over
	kindSlow       kind = "d78217876fdc43859088f20a05dbb51a" // a look or a notice takes very long
	kindUnrecorded kind = "f094cd4b002b48c8806aab3ffd83b569" // the ledger cannot be written
	kindHeld       kind = "c2a70a1620374862802e3619b277b0e2" // files are not written yet: a window, or a gate
	kindSeen       kind = "04fc4c2dbf7049459e9dd6625f75bd25" // a service was seen to be well with its change
	kindUnwell     kind = "b5857e38739248908ae98bf4e42b00f5" // it was not
	kindUndrained  kind = "242f2b0fb48e4885b3bee4cc71ff793e" // what was done before a change was undone, or could not be
	kindUnsaid     kind = "aee2f300173d4ac5ba0e8cc22f82830d" // on_failure did not hear of a failure, or hears of it after all
	kindRecorded   kind = "4a8f8e618cb248dda717f50a7dc5226e" // it can again
)

// id makes the attribute.
func (k kind) id() slog.Attr { return slog.String(MessageID, string(k)) }
