#!/bin/sh
# The main job from end to end: signs in, makes a project, uploads a clip, waits until it is processed, and
# checks that what comes back is what was sent. Needs curl and nothing else that a system would lack.
#
#   examples/tour.sh [URL [CLIP]]        http://localhost:8000 and clip.mp4, unless said otherwise
#
# EMAIL and PASSWORD sign in to an account that there is; without them a new one is made.
set -eu

base=${1:-http://localhost:8000}
clip=${2:-clip.mp4}
api=$base/api/v1

say() { printf '%s\n' "$*"; }
fail() { printf 'tour: %s\n' "$*" >&2; exit 1; }

[ -s "$clip" ] || fail "$clip: no such clip, or an empty one (the second argument names it)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# request METHOD URL [OPTION...]: sends a request; the answer is left in $work/answer, an error ends the tour.
request() {
    method=$1 url=$2
    shift 2
    status=$(curl -sS -X "$method" -o "$work/answer" -w '%{http_code}' "$@" "$url") || fail "$method $url: no answer"
    case $status in 2??) ;; *) fail "$method $url: $status $(cat "$work/answer")" ;; esac
}

# The same as the one who has signed in, and with a JSON body.
own() { request "$@" -H "Authorization: Bearer $token"; }
json() { request POST "$1" -H 'Content-Type: application/json' -d "$2" ${token:+-H "Authorization: Bearer $token"}; }

# member NAME: the first value of that name in the answer. Enough for ids, numbers and URLs, which hold no commas,
# braces or quotes; for anything else take a JSON tool (jq).
member() {
    tr ',{}[]' '\n\n\n\n\n' < "$work/answer" | sed -n "s/^\"$1\":\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" | head -n 1
}

# quoted TEXT: TEXT as a JSON string.
quoted() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }

token=
if [ -n "${EMAIL:-}" ]; then
    json "$api/auth/signin" "{\"email\":$(quoted "$EMAIL"),\"password\":$(quoted "$PASSWORD")}"
else
    EMAIL=tour-$(date +%s)-$$@example.com
    json "$api/auth/register" "{\"email\":\"$EMAIL\",\"password\":\"a long way home\",\"fullName\":\"Tour\"}"
fi
token=$(member accessToken)
[ -n "$token" ] || fail "no access token: $(cat "$work/answer")"
say "signed in: $EMAIL"

json "$api/projects" '{"name":"First film"}'
project=$(member id)
say "project: $project"

name=$(basename "$clip")
size=$(($(wc -c < "$clip")))
case $name in
*.mov) type=video/quicktime ;;
*.mkv) type=video/x-matroska ;;
*.webm) type=video/webm ;;
*) type=video/mp4 ;;
esac
json "$api/files/upload-url" \
    "{\"projectId\":\"$project\",\"fileName\":$(quoted "$name"),\"fileSize\":$size,\"fileType\":\"$type\"}"
file=$(member fileId)
upload=$(member uploadUrl)
say "file: $file, $size bytes, for $(member creditsNeeded) credits"

# -T sends from the disk, however large the clip is. The URL is the authority, and takes this type only.
request PUT "$upload" -H "Content-Type: $type" -T "$clip"
own POST "$api/files/$file/confirm"
say "uploaded and confirmed, $(member remainingCredits) credits left"

# The stream ends when processing does.
curl -sSN -m 600 -H "Authorization: Bearer $token" "$api/files/$file/events" |
    sed -n 's/^data: *{.*"status":"\([a-z]*\)","progress":\([0-9]*\).*/  \1 \2 %/p'
own GET "$api/files/$file"
[ "$(member processingStatus)" = ready ] || fail "the file is $(member processingStatus): $(cat "$work/answer")"
for value in codec fps resolution duration bitrate; do
    say "$value: $(member "$value")"
done

# Of a video only where the server finds ffmpeg.
thumbnail=$(member thumbnailStatus)
if [ "$thumbnail" = ready ]; then
    own GET "$api/files/$file/download-url?rendition=thumbnail"
    request GET "$(member downloadUrl)"
    case $(head -c 2 "$work/answer" | od -An -tx1) in
    *ff*d8*) say "thumbnail: JPEG, $(($(wc -c < "$work/answer"))) bytes" ;;
    *) fail "the thumbnail is no JPEG" ;;
    esac
else
    say "thumbnail: $thumbnail"
fi

# The whole of it, a piece of the middle and the end: byte for byte what was sent.
own GET "$api/files/$file/download-url"
url=$(member downloadUrl)
# check WHAT EXPECTED [OPTION...]: downloads with the options and compares.
check() {
    what=$1 expected=$2
    shift 2
    request GET "$url" "$@"
    cmp "$expected" "$work/answer" || fail "$what is not the clip's"
}
check "the whole" "$clip"
middle=$((size / 2))
tail -c "+$((middle + 1))" "$clip" | head -c 1000 > "$work/expected"
check "the piece from $middle" "$work/expected" -r "$middle-$((middle + 999))"
tail -c 1000 "$clip" > "$work/expected"
check "the end" "$work/expected" -r -1000
say "downloads are equal to $name, byte for byte"
