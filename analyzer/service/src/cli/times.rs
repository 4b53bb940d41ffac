//! Points in time, durations and windows as people write them.

use aftermath_model::{Timestamp, Window};

/// Reads `now`, `-30m`, `+5s`, RFC 3339, or milliseconds since the epoch.
///
/// # Errors
/// A sentence that names the text and says what would be right.
pub fn parse_time(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    if let Some(offset) = text.strip_prefix('-') {
        return Ok(now.plus_ms(-relative_ms(text, offset)?));
    }
    if let Some(offset) = text.strip_prefix('+') {
        return Ok(now.plus_ms(relative_ms(text, offset)?));
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let ms =
            text.parse().map_err(|_| format!("`{text}` is too large for milliseconds since the epoch"))?;
        return Timestamp::from_ms(ms).map_err(|problem| problem.to_string());
    }
    text.parse().map_err(|_| {
        format!(
            "`{text}` is not a time; write RFC 3339 (2026-03-01T12:00:00Z), milliseconds since the epoch, \
             or relative to the present (-30m, now)"
        )
    })
}

fn relative_ms(text: &str, offset: &str) -> Result<i64, String> {
    // A second sign would turn the offset around: `--5m`.
    if offset.starts_with(['-', '+']) {
        return Err(format!("`{text}` has two signs; write -30m"));
    }
    parse_duration_ms(offset).map_err(|_| {
        format!("`{text}` is not a relative time; write a number with a unit, such as -30m or -1h30m")
    })
}

/// Reads a positive duration such as `15s`, `500ms`, `1h30m`, in milliseconds.
///
/// # Errors
/// A sentence that names the text and says what would be right.
pub fn parse_duration_ms(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is not a duration; write a number with a unit, such as 15s or 1m30s");
    let duration: jiff::SignedDuration = text.trim().parse().map_err(|_| wrong())?;
    i64::try_from(duration.as_millis()).ok().filter(|&ms| ms > 0).ok_or_else(wrong)
}

/// Reads `FROM..TO`.
///
/// # Errors
/// A sentence that names the option and the text and says what would be right.
pub fn parse_window(option: &str, text: &str, now: Timestamp) -> Result<Window, String> {
    let Some((from, to)) = text.split_once("..") else {
        return Err(format!("{option} `{text}` is not a window; write FROM..TO, such as -30m..-10m"));
    };
    let at = |text: &str| parse_time(text, now).map_err(|problem| format!("{option}: {problem}"));
    let (from, to) = (at(from)?, at(to)?);
    Window::new(from, to)
        .ok_or_else(|| format!("{option} `{text}` is empty or runs backwards: {from} is not before {to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_772_366_400_000; // 2026-03-01T12:00:00Z

    fn now() -> Timestamp {
        Timestamp::from_ms(NOW_MS).unwrap()
    }

    #[test]
    fn times_are_read_in_each_documented_form() {
        let table = [
            ("now", NOW_MS),
            ("-30m", NOW_MS - 1_800_000),
            ("-1h30m", NOW_MS - 5_400_000),
            ("+2s", NOW_MS + 2_000),
            ("1709624232000", 1_709_624_232_000),
            ("2026-03-01T12:00:00Z", NOW_MS),
            ("2026-03-01T13:00:00.5+01:00", NOW_MS + 500),
        ];
        for (text, ms) in table {
            assert_eq!(parse_time(text, now()).map(Timestamp::ms), Ok(ms), "{text}");
        }
    }

    #[test]
    fn a_wrong_time_is_named_with_a_hint() {
        for text in
            ["", "yesterday", "-30", "--5m", "-5q", "12:00", "99999999999999999999", "9223372036854775807"]
        {
            let message = parse_time(text, now()).unwrap_err();
            assert!(message.contains(&format!("`{text}`")) || message.contains(text), "{message}");
        }
    }

    #[test]
    fn durations_are_positive_and_carry_a_unit() {
        assert_eq!(parse_duration_ms("15s"), Ok(15_000));
        assert_eq!(parse_duration_ms("1m30s"), Ok(90_000));
        assert_eq!(parse_duration_ms("500ms"), Ok(500));
        for text in ["15", "0s", "-15s", "15 parsecs", ""] {
            assert!(parse_duration_ms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_window_runs_forwards() {
        let window = parse_window("--fault", "-10m..now", now()).unwrap();
        assert_eq!(window.duration_ms(), 600_000);
        for text in ["-10m", "now..-10m", "now..now", "..", "-10m..soon"] {
            let message = parse_window("--fault", text, now()).unwrap_err();
            assert!(message.starts_with("--fault"), "{message}");
        }
    }
}
