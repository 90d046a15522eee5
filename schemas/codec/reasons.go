package codec

import "slices"

// The reasons of rejections that any event may have (contract 2); each family's file
// has those of its fields, and Reasons says what each means.
const (
	RejectBadAttributeName   = "bad_attribute_name"
	RejectBadAttributeNumber = "bad_attribute_number"
	RejectBadContentType     = "bad_content_type"
	RejectBadDataBase64      = "bad_data_base64"
	RejectBadDataContentType = "bad_datacontenttype"
	RejectBadSequence        = "bad_sequence"
	RejectBadSpecVersion     = "bad_specversion"
	RejectBadTime            = "bad_time"
	RejectControlCharacter   = "control_character"
	RejectDataTwice          = "data_twice"
	RejectDuplicateHeader    = "duplicate_header"
	RejectDuplicateName      = "duplicate_name"
	RejectEmptyText          = "empty_text"
	RejectExponentTooLarge   = "exponent_too_large"
	RejectInvalidUTF8        = "invalid_utf8"
	RejectLeapSecond         = "leap_second"
	RejectMissingField       = "missing_field"
	RejectNegativeNumber     = "negative_number"
	RejectNegativeZero       = "negative_zero"
	RejectNoSuchDay          = "no_such_day"
	RejectNoTimestamp        = "no_timestamp"
	RejectNoValue            = "no_value"
	RejectNotANumber         = "not_a_number"
	RejectNotJSON            = "not_json"
	RejectNull               = "null"
	RejectSubjectMismatch    = "subject_mismatch"
	RejectTextTooLong        = "text_too_long"
	RejectTimeInFuture       = "time_in_future"
	RejectTimeOutOfRange     = "time_out_of_range"
	RejectTooLarge           = "too_large"
	RejectTooManyDecimals    = "too_many_decimals"
	RejectTooManyDigits      = "too_many_integer_digits"
	RejectUnknownField       = "unknown_field"
	RejectUnknownType        = "unknown_type"
	RejectUnknownValue       = "unknown_value"
	RejectWrongType          = "wrong_type"
)

// ReasonText is one reason for a rejection with its meaning.
type ReasonText struct {
	// Reason is what Rejection.Reason holds.
	Reason string
	// Sentence says it to people.
	Sentence string
	// Beyond marks a reason that the published JSON Schemas cannot state, at
	// least not in every case: an event may pass its schema and still be refused
	// with it. Every event refused with another reason fails its schema as well,
	// or cannot be read by an ordinary JSON reader at all. What data_base64 holds
	// a schema states by contentSchema: a validator sees it that decodes content.
	Beyond bool
}

// commonReasons are those that events of any family may be refused for.
func commonReasons() []ReasonText {
	return []ReasonText{
		{RejectBadAttributeName, "An attribute's name is not one that CloudEvents allows: a to z and 0 to 9.", false},
		{RejectBadAttributeNumber, "An extension attribute's number is not a whole number of 32 bits written as an integer.", true},
		{RejectBadContentType, "The header content-type is not a JSON media type.", true},
		{RejectBadDataBase64, "The data_base64 is not base64 as RFC 4648, section 4, writes it, with padding.", false},
		{RejectBadDataContentType, "The attribute datacontenttype is not a JSON media type.", false},
		{RejectBadSequence, "The sequence is not digits only, or not below 2^63.", true},
		{RejectBadSpecVersion, `The specversion is not "1.0".`, false},
		{RejectBadTime, "A time is not written as RFC 3339 with an offset, or has an hour, minute, second, day or month that no time has.", false},
		{RejectControlCharacter, "A text holds a control character (C0, DEL or C1), or one that turns the direction of writing (U+202A to U+202E, U+2066 to U+2069).", false},
		{RejectDataTwice, "Both data and data_base64 are given.", false},
		{RejectDuplicateHeader, "The header content-type, or one that begins with ce_, is given twice.", true},
		{RejectDuplicateName, "A key is given twice in one JSON object.", true},
		{RejectEmptyText, "A text that must not be empty is.", false},
		{RejectExponentTooLarge, "A number is written with an exponent beyond 30 or -30.", true},
		{RejectInvalidUTF8, "A text is not valid UTF-8, or holds half of a surrogate pair.", true},
		{RejectLeapSecond, "A time has the second 60.", false},
		{RejectMissingField, "A field that must be given is not.", false},
		{RejectNegativeNumber, "A number is below zero.", false},
		{RejectNegativeZero, "A zero is written with a minus sign.", true},
		{RejectNoSuchDay, "A time names a day that its month does not have.", true},
		{RejectNoTimestamp, "The message has no Kafka timestamp.", true},
		{RejectNoValue, "The message has no value.", false},
		{RejectNotANumber, "A text that must hold a number as JSON writes it holds something else.", false},
		{RejectNotJSON, "The value is not one JSON value.", false},
		{RejectNull, "The data or a field of it is null; an optional field is left out instead.", false},
		{RejectSubjectMismatch, "The subject of an account's event is not its data.account_id.", true},
		{RejectTextTooLong, "A text has more than 256 bytes.", true},
		{RejectTimeInFuture, "The event's time is more than 10 minutes later than the message's Kafka timestamp.", true},
		{RejectTimeOutOfRange, "A time is before 2000-01-01 UTC, or from 2200-01-01 UTC on.", true},
		{RejectTooLarge, "The value has more than 1 MiB, or the message with its key and headers more than 4 MiB: of that one only the head is kept.", true},
		{RejectTooManyDecimals, "A number has more than 9 decimals, or a percentage more than 4.", true},
		{RejectTooManyDigits, "A number has more than 20 integer digits.", true},
		{RejectUnknownField, "A field of data is not one that its type has.", false},
		{RejectUnknownType, "The event's type is not one of reckon's.", false},
		{RejectUnknownValue, "A field that takes one of a few words holds another.", false},
		{RejectWrongType, "A field holds another kind of JSON value than it must.", false},
	}
}

// Reasons is the list of all reasons for which a message is rejected, sorted.
func Reasons() []ReasonText { return slices.Clone(known.reasons) }

// BeyondSchema lists the reasons that the published JSON Schemas cannot state,
// sorted: what passes its schema can be refused for these and for no other.
func BeyondSchema() []string {
	var beyond []string
	for _, r := range Reasons() {
		if r.Beyond {
			beyond = append(beyond, r.Reason)
		}
	}
	return beyond
}

// ChangedVerdict tells whether an older version may have judged a message otherwise
// than this one: was is the reason for which it was rejected then, is the one now, each
// empty where it was taken. Whoever changes what is taken names it here, so that what
// was stored before stays verifiable.
func ChangedVerdict(was, is string) bool {
	// An attribute that is null was refused, and data_base64; text that turns the
	// direction of writing was not.
	return was == RejectNull || was == "data_base64" || is == RejectControlCharacter
}
