//! What attackers try, and what they are answered.

/// Signed tokens that are shown at the door of acme's conversation c-1, by a gateway with one HS256
/// secret, the issuer https://issuer.test and the audience `agents`.
///
/// An empty cell: a good header, no claim but the good ones, the gateway's secret.
pub(super) const TOKENS: &str = r#"
# header                                 | claims that are not the good ones | signed with | answer
                                         |                                   |             | joined

# Algorithms
{"alg":"none"}                           |                                   |             | Invalid token
{"alg":"None"}                           |                                   |             | Invalid token
{"alg":"nOnE"}                           |                                   |             | Invalid token
{"alg":""}                               |                                   |             | Invalid token
{"alg":"hs256"}                          |                                   |             | Invalid token
{"alg":"HS384"}                          |                                   |             | Invalid token
{"alg":"HS512"}                          |                                   |             | Invalid token
{"alg":"RS256"}                          |                                   |             | Invalid token
{"alg":"PS256"}                          |                                   |             | Invalid token
{"alg":"ES256"}                          |                                   |             | Invalid token
{"alg":"EdDSA"}                          |                                   |             | Invalid token
{"alg":["HS256"]}                        |                                   |             | Invalid token
{"alg":null}                             |                                   |             | Invalid token
{"alg":0}                                |                                   |             | Invalid token
{"typ":"JWT"}                            |                                   |             | Invalid token
{"alg":"none","alg":"HS256"}             |                                   |             | Invalid token
[]                                       |                                   |             | Invalid token
"HS256"                                  |                                   |             | Invalid token
{"alg":"HS256"                           |                                   |             | Invalid token

# Keys: neither a guess, nor one that the token brings along or names
                                         |                                   | another one | Invalid token
                                         |                                   | secret      | Invalid token
{"alg":"HS256","jwk":{"kty":"oct","k":"c2VjcmV0"}}|                          | secret      | Invalid token
{"alg":"HS256","kid":"../../../dev/null"}|                                   | \0          | Invalid token
{"alg":"HS256","kid":"' OR 1=1 --"}      |                                   |             | joined
{"alg":"HS256","kid":7}                  |                                   |             | Invalid token
{"alg":"HS256","jku":"http://127.0.0.1:9"}|                                  | secret      | Invalid token
{"alg":"HS256","x5u":"http://127.0.0.1:9"}|                                  | secret      | Invalid token
{"alg":"HS256","x5c":["MAA="]}           |                                   | secret      | Invalid token

{"alg":"HS256","crit":["b64"],"b64":true}|                                   |             | Invalid token
{"alg":"HS256","crit":["exp"]}           |                                   |             | Invalid token
                                         | "padding":"$17KB"                 |             | Invalid token

# Times
                                         | "exp":null                        |             | Invalid token
                                         | "exp":"4102444800"                |             | Invalid token
                                         | "exp":[4102444800]                |             | Invalid token
                                         | "exp":true                        |             | Invalid token
                                         | "exp":0                           |             | Token expired
                                         | "exp":-1                          |             | Token expired
                                         | "exp":-1e300                      |             | Token expired
                                         | "exp":-9223372036854775808        |             | Token expired
                                         | "exp":1.5                         |             | Token expired
                                         | "exp":4102444800.5                |             | joined
                                         | "exp":99999999999                 |             | joined
                                         | "exp":100000000000                |             | Invalid token
                                         | "exp":4102444800000               |             | Invalid token
                                         | "exp":9223372036854775807         |             | Invalid token
                                         | "exp":18446744073709551615        |             | Invalid token
                                         | "exp":1e300                       |             | Invalid token
                                         | raw {"exp":1e999}                 |             | Invalid token
                                         | "nbf":"$soon"                     |             | Invalid token
                                         | "nbf":1e300                       |             | Invalid token
                                         | "nbf":"0"                         |             | Invalid token
                                         | "nbf":[]                          |             | Invalid token
                                         | "nbf":-1                          |             | joined
                                         | "nbf":-1e300                      |             | joined
                                         | "iat":"$soon"                     |             | joined

# Whose it is, by whom and for whom
                                         | "sub":null                        |             | Invalid token
                                         | "sub":""                          |             | Invalid token
                                         | "sub":7                           |             | joined
                                         | "sub":-7                          |             | joined
                                         | "sub":7.5                         |             | Invalid token
                                         | "sub":7.0                         |             | Invalid token
                                         | "sub":1e300                       |             | Invalid token
                                         | "sub":true                        |             | Invalid token
                                         | "sub":["ada"]                     |             | Invalid token
                                         | "sub":{"id":"ada"}                |             | Invalid token
                                         | "name":{"x":1}                    |             | joined
                                         | "iss":null                        |             | Invalid token
                                         | "iss":""                          |             | Invalid token
                                         | "iss":"https://issuer.test/"      |             | Invalid token
                                         | "iss":"https://issuer.test.evil"  |             | Invalid token
                                         | "iss":"HTTPS://ISSUER.TEST"       |             | Invalid token
                                         | "iss":{"https://issuer.test":1}   |             | Invalid token
                                         | "aud":null                        |             | Invalid token
                                         | "aud":""                          |             | Invalid token
                                         | "aud":"agents,others"             |             | Invalid token
                                         | "aud":"agents "                   |             | Invalid token
                                         | "aud":[]                          |             | Invalid token
                                         | "aud":["others"]                  |             | Invalid token
                                         | "aud":[["agents"]]                |             | Invalid token
                                         | "aud":{"agents":true}             |             | Invalid token
                                         | "aud":["others","agents"]         |             | joined

# Tenants that look like acme
                                         | "tenantId":null                   |             | Invalid token
                                         | "tenantId":null,"tenantid":"acme" |             | Invalid token
                                         | "tenantId":null,"tenant_id":"acme"|             | Invalid token
                                         | "tenantId":""                     |             | Invalid token
                                         | "tenantId":["acme"]               |             | Invalid token
                                         | "tenantId":{"acme":1}             |             | Invalid token
                                         | "tenantId":true                   |             | Invalid token
                                         | "tenantId":7                      |             | Forbidden
                                         | "tenantId":7.5                    |             | Invalid token
                                         | "tenantId":"*"                    |             | Forbidden
                                         | "tenantId":"ACME"                 |             | Forbidden
                                         | "tenantId":"acme."                |             | Forbidden
                                         | "tenantId":"acme "                |             | Forbidden
                                         | "tenantId":"acme\n"               |             | Forbidden
                                         | "tenantId":"\tacme"               |             | Forbidden
                                         | "tenantId":"acme\u0000"           |             | Forbidden
                                         | "tenantId":"acme\u200b"           |             | Forbidden
                                         | "tenantId":"\u0430cme"            |             | Forbidden
                                         | "tenantId":"ａｃｍｅ"              |             | Forbidden
                                         | "tenantId":"acme/conv/c-1"        |             | Forbidden
                                         | "tenantId":"acm\u0065"            |             | joined

# Conversations that look like c-1
                                         | "conversations":null              |             | joined
                                         | "conversations":"*"               |             | joined
                                         | "conversations":["c-1"]           |             | joined
                                         | "conversations":"c-1"             |             | Invalid token
                                         | "conversations":"c-1,*"           |             | Invalid token
                                         | "conversations":""                |             | Invalid token
                                         | "conversations":true              |             | Invalid token
                                         | "conversations":0                 |             | Invalid token
                                         | "conversations":{"c-1":true}      |             | Invalid token
                                         | "conversations":["c-1",7]         |             | joined
                                         | "conversations":["c-1",7.5]       |             | Invalid token
                                         | "conversations":["c-1",true]      |             | Invalid token
                                         | "conversations":[7]               |             | Forbidden
                                         | "conversations":[["c-1"]]         |             | Invalid token
                                         | "conversations":[null]            |             | Invalid token
                                         | "conversations":[]                |             | Forbidden
                                         | "conversations":[""]              |             | Forbidden
                                         | "conversations":["*"]             |             | Forbidden
                                         | "conversations":["c-*"]           |             | Forbidden
                                         | "conversations":["C-1"]           |             | Forbidden
                                         | "conversations":["c-1 "]          |             | Forbidden
                                         | "conversations":["c-1\u0000"]     |             | Forbidden
                                         | "conversations":["c-10","c-"]     |             | Forbidden
                                         | "conversations":["acme/c-1"]      |             | Forbidden

# No claims
                                         | raw                               |             | Invalid token
                                         | raw {}                            |             | Invalid token
                                         | raw []                            |             | Invalid token
                                         | raw null                          |             | Invalid token
                                         | raw "acme"                        |             | Invalid token
                                         | raw {"sub":"ada"                  |             | Invalid token
"#;

/// What is no token, at the same door, as JSON. `$header`, `$claims` and `$signature` are a good
/// one's.
pub(super) const TEXTS: &str = r#"
# token                                      | answer
"$header.$claims.$signature"                 | joined
""                                           | Authentication required
" "                                          | Invalid token
"."                                          | Invalid token
".."                                         | Invalid token
"..."                                        | Invalid token
"a.b.c"                                      | Invalid token
"null"                                       | Invalid token
"undefined"                                  | Invalid token
"$header.$claims"                            | Invalid token
"$header.$claims."                           | Invalid token
"$header..$signature"                        | Invalid token
".$claims.$signature"                        | Invalid token
"..$signature"                               | Invalid token
"$header.$header.$signature"                 | Invalid token
"$header.$claims.$claims"                    | Invalid token
"$header.$claims.$signature.$signature"      | Invalid token
".$header.$claims.$signature"                | Invalid token
"$header.$claims.$signature."                | Invalid token
"$header.$claims.$signature "                | Invalid token
" $header.$claims.$signature"                | Invalid token
"$header.$claims.$signature="                | Invalid token
"$header.$claims.$signature\n"               | Invalid token
"$header.$claims.$signature\u0000"           | Invalid token
"$header.$claims.A$signature"                | Invalid token
"Bearer $header.$claims.$signature"          | Invalid token
"$header.$claims.$17KB"                       | Invalid token
"$17KB.$claims.$signature"                    | Invalid token
"\ud83d\ude00.\ud83d\ude00.\ud83d\ude00"     | Invalid token
"#;

/// CONNECTs. `$ids` names acme's conversation c-1, `$auth` is `{"token":"$good"}`, `$128` is a
/// hundred and twenty-eight letters; the other numbers likewise.
pub(super) const HANDSHAKES: &str = r#"
# query                                 | namespace                        | auth                  | answer
$ids                                    |                                  | $auth                 | joined
                                        | /tenant/acme/conv/c-1            | $auth                 | joined

# What `auth` can be
$ids                                    |                                  |                       | Authentication required
$ids                                    |                                  | null                  | Authentication required
$ids                                    |                                  | 7                     | Authentication required
$ids                                    |                                  | true                  | Authentication required
$ids                                    |                                  | "$good"               | Authentication required
$ids                                    |                                  | []                    | Authentication required
$ids                                    |                                  | ["$good"]             | Authentication required
$ids                                    |                                  | [{"token":"$good"}]   | Authentication required
$ids                                    |                                  | {}                    | Authentication required
$ids                                    |                                  | {"token":null}        | Authentication required
$ids                                    |                                  | {"TOKEN":"$good"}     | Authentication required
$ids                                    |                                  | {"auth":{"token":"$good"}} | Authentication required
$ids                                    |                                  | {"__proto__":{"token":"$good"}} | Authentication required
$ids                                    |                                  | {"token":"$good"      | Authentication required
$ids                                    |                                  | {"token":"$good"}}    | Authentication required
$ids                                    |                                  | {"token":"$good",}    | Authentication required
$ids                                    |                                  | {"token":$deep}       | Authentication required
$ids                                    |                                  | $deep                 | Authentication required
$ids                                    |                                  | {"token":"\ud800"}    | Authentication required
$ids                                    |                                  | {"token":7}           | Invalid token
$ids                                    |                                  | {"token":false}       | Invalid token
$ids                                    |                                  | {"token":["$good"]}   | Invalid token
$ids                                    |                                  | {"token":{"token":"$good"}} | Invalid token
$ids                                    |                                  | {"token":"$60KB"}     | Invalid token
$ids                                    |                                  | {"token":"$good","token":"x"} | Invalid token

# A token where it must not be
$ids&token=$good                        |                                  | {}                    | Authentication required
$ids&auth[token]=$good                  |                                  |                       | Authentication required
$ids                                    | /?token=$good                    | {}                    | Invalid namespace

# The root door: ids in the query
                                        |                                  | $auth                 | Invalid conversation
tenantId=acme                           |                                  | $auth                 | Invalid conversation
conversationId=c-1                      |                                  | $auth                 | Invalid conversation
tenantId=&conversationId=c-1            |                                  | $auth                 | Invalid conversation
TenantId=acme&conversationId=c-1        |                                  | $auth                 | Invalid conversation
tenantId[]=acme&conversationId=c-1      |                                  | $auth                 | Invalid conversation
tenantId=acme;conversationId=c-1        |                                  | $auth                 | Invalid conversation
tenantId=acme&$ids                      |                                  | $auth                 | Invalid conversation
$ids&conversationId=c-2                 |                                  | $auth                 | Invalid conversation
$ids&conversationId=                    |                                  | $auth                 | Invalid conversation
$ids&conversation%49d=c-2               |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=a/b        |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=a%2fb      |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=a%5cb      |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=%00        |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=c-1%00     |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=c-1%0d%0a  |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=c-1%20     |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=c+1        |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=%ff        |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=%d0%b0     |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=%          |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=*          |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=%2563-1    |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=$129       |                                  | $auth                 | Invalid conversation
tenantId=acme&conversationId=$128       |                                  | $auth                 | joined
tenantId=acme&conversationId=%63-1      |                                  | $auth                 | joined
tenantId=acme&conversationId=..         |                                  | $auth                 | joined
tenantId=other&conversationId=c-1       |                                  | $auth                 | Forbidden
tenantId=ACME&conversationId=c-1        |                                  | $auth                 | Forbidden
tenantId=acme.&conversationId=c-1       |                                  | $auth                 | Forbidden

# The root door: ids in `auth`, which win
$ids                                    |                                  | {"token":"$good","tenantId":"other"} | Forbidden
$ids                                    |                                  | {"token":"$good","tenantId":""}      | Invalid conversation
$ids                                    |                                  | {"token":"$good","tenantId":7}       | Invalid conversation
$ids                                    |                                  | {"token":"$good","tenantId":["acme"]} | Invalid conversation
$ids                                    |                                  | {"token":"$good","conversationId":{}} | Invalid conversation
$ids                                    |                                  | {"token":"$good","conversationId":"c-1\u0000"} | Invalid conversation
$ids                                    |                                  | {"token":"$good","conversationId":"../c-1"} | Invalid conversation
$ids                                    |                                  | {"token":"$good","conversationId":"$129"} | Invalid conversation
tenantId=other&conversationId=a/b       |                                  | {"token":"$good","tenantId":"acme","conversationId":"c-1"} | joined

# The other door: ids in the namespace alone
                                        | /tenant/acme/conv/$128           | $auth                 | joined
                                        | /tenant/acme/conv/..             | $auth                 | joined
                                        | /tenant/other/conv/c-1           | $auth                 | Forbidden
                                        | /tenant/ACME/conv/c-1            | $auth                 | Forbidden
                                        | /tenant/../conv/c-1              | $auth                 | Forbidden
                                        | /tenant/$128/conv/$128           | $auth                 | Forbidden
                                        | /tenant/acme/conv/$129           | $auth                 | Invalid conversation
                                        | /tenant/acme/conv/c-1?x=1        | $auth                 | Invalid conversation
                                        | /tenant/acme/conv/c-1?token=$good| {}                    | Authentication required
                                        | /tenant/acme/conv/c-1#x          | $auth                 | Invalid conversation
                                        | /tenant/acme/conv/c-1%2fx        | $auth                 | Invalid conversation
                                        | /tenant/acme/conv/%63-1          | $auth                 | Invalid conversation
                                        | /tenant/acme/conv/c-1$tab        | $auth                 | Invalid conversation
                                        | /tenant/acme/conv/c-1$nul        | $auth                 | Invalid conversation
                                        | /tenant/acme/conv/c\1            | $auth                 | Invalid conversation
                                        | /tenant/acme/conv/*              | $auth                 | Invalid conversation
                                        | /tenant/*/conv/*                 | $auth                 | Invalid conversation
                                        | /tenant/{t}/conv/{c}             | $auth                 | Invalid conversation
                                        | /tenant/аcme/conv/c-1            | $auth                 | Invalid conversation
                                        | /tenant/acme/conv/c-1            | {}                    | Authentication required
                                        | /tenant/acme/conv/c-1/           | $auth                 | Invalid namespace
                                        | /tenant/acme/conv/               | $auth                 | Invalid namespace
                                        | /tenant/acme/conv                | $auth                 | Invalid namespace
                                        | /tenant//conv/c-1                | $auth                 | Invalid namespace
                                        | /tenant/acme//conv/c-1           | $auth                 | Invalid namespace
                                        | /tenant/acme/conv//c-1           | $auth                 | Invalid namespace
                                        | //tenant/acme/conv/c-1           | $auth                 | Invalid namespace
                                        | /./tenant/acme/conv/c-1          | $auth                 | Invalid namespace
                                        | /x/../tenant/acme/conv/c-1       | $auth                 | Invalid namespace
                                        | /tenant/other/../acme/conv/c-1   | $auth                 | Invalid namespace
                                        | /tenant/acme/conv/x/../c-1       | $auth                 | Invalid namespace
                                        | /tenant/acme/conv/c-1/conv/c-2   | $auth                 | Invalid namespace
                                        | /TENANT/acme/CONV/c-1            | $auth                 | Invalid namespace
                                        | /%74enant/acme/conv/c-1          | $auth                 | Invalid namespace
                                        | /tenant/acme                     | $auth                 | Invalid namespace
                                        | //                               | $auth                 | Invalid namespace
                                        | /..                              | $auth                 | Invalid namespace
                                        | /socket.io                       | $auth                 | Invalid namespace
                                        | /internal/emit                   | $auth                 | Invalid namespace
                                        | /tenant/acme/conv/$2000          | $auth                 | Invalid namespace
"#;

/// Packets, as JSON, before anything was opened: what follows over a WebSocket, and the status and
/// what follows over polling. `nothing`: the session goes on as if it had not been said.
pub(super) const PACKETS: &str = r#"
# packet                                            | WebSocket | polling
"3"                                                 | nothing   | 200, nothing
"4"                                                 | closed    | 200, closed
"41"                                                | nothing   | 200, nothing
"42"                                                | nothing   | 200, nothing
"42[\"refresh_token\",{\"token\":\"x\"}]"           | nothing   | 200, nothing
"421[\"refresh_token\",{\"token\":\"x\"}]"          | nothing   | 200, nothing
"42/tenant/acme/conv/c-1,[\"joined\",{}]"           | nothing   | 200, nothing
"41/tenant/acme/conv/c-1,"                          | nothing   | 200, nothing
"43/tenant/acme/conv/c-1,1[]"                       | nothing   | 200, nothing
"44/tenant/acme/conv/c-1,{}"                        | nothing   | 200, nothing
"451-[\"x\",{\"_placeholder\":true,\"num\":0}]"     | nothing   | 200, nothing
"4599999999999-[\"x\"]"                             | nothing   | 200, nothing
"46-"                                               | nothing   | 200, nothing
"bAAAA"                                             | nothing   | 200, nothing
"47"                                                | closed    | 200, closed
"4/"                                                | closed    | 200, closed
"4é"                                                | closed    | 200, closed
""                                                  | closed    | 200, nothing
"0{}"                                               | closed    | 400, closed
"1"                                                 | closed    | 200, closed
"2"                                                 | nothing   | 200, nothing
"2probe"                                            | closed    | 400, nothing
"5"                                                 | closed    | 400, nothing
"6"                                                 | closed    | 400, nothing
"9"                                                 | closed    | 400, closed
"x"                                                 | closed    | 400, closed
"\u0000"                                            | closed    | 400, closed
"\u001e\u001e"                                      | closed    | 200, nothing
"$64KB+1"                                           | closed    | 413, closed
"#;

/// Requests. Lines of headers stand between semicolons. `$sid` polls, `$wsid` began as a WebSocket,
/// `$upgraded` became one. What begins with `!` is told as `invalid_request`, with the field's name.
pub(super) const REQUESTS: &str = r#"
# request | headers | body | status | body of the answer

# Engine.IO: what opens no session
GET /socket.io/                                   |                       |      | 400 | {"code":0,"message":"Transport unknown"}
GET /socket.io/?                                  |                       |      | 400 | {"code":5,"message":"Unsupported protocol version"}
GET /socket.io/?EIO=4                             |                       |      | 400 | {"code":0,"message":"Transport unknown"}
GET /socket.io/?EIO=4&transport=                  |                       |      | 400 | {"code":0,"message":"Transport unknown"}
GET /socket.io/?EIO=4&transport=pigeon            |                       |      | 400 | {"code":0,"message":"Transport unknown"}
GET /socket.io/?EIO=4&transport=Polling           |                       |      | 400 | {"code":0,"message":"Transport unknown"}
GET /socket.io/?EIO=4&transport=webtransport      |                       |      | 400 | {"code":0,"message":"Transport unknown"}
GET /socket.io/?transport=polling                 |                       |      | 400 | {"code":5,"message":"Unsupported protocol version"}
GET /socket.io/?EIO=3&transport=polling           |                       |      | 400 | {"code":5,"message":"Unsupported protocol version"}
GET /socket.io/?EIO=3&transport=websocket         | $upgrade              |      | 101 |
GET /socket.io/?EIO=3&transport=websocket         |                       |      | 426 | this transport needs a WebSocket
GET /socket.io/?EIO=2&transport=websocket         | $upgrade              |      | 400 | {"code":5,"message":"Unsupported protocol version"}
GET /socket.io/?EIO=3&transport=polling&t=x&sid=x |                       |      | 400 | {"code":5,"message":"Unsupported protocol version"}
GET /socket.io/?EIO=5&transport=polling           |                       |      | 400 | {"code":5,"message":"Unsupported protocol version"}
GET /socket.io/?EIO=&transport=polling            |                       |      | 400 | {"code":5,"message":"Unsupported protocol version"}
GET /socket.io/?EIO=04&transport=polling          |                       |      | 400 | {"code":5,"message":"Unsupported protocol version"}
GET /socket.io/?EIO=3&EIO=4&transport=polling     |                       |      | 400 | {"code":5,"message":"Unsupported protocol version"}
GET /socket.io/?EIO%3d4&transport=polling         |                       |      | 400 | {"code":5,"message":"Unsupported protocol version"}
POST $polling                                     |                       | 40   | 400 | {"code":2,"message":"Bad handshake method"}
PUT $polling                                      |                       | 40   | 400 | {"code":2,"message":"Bad handshake method"}
DELETE $polling                                   |                       |      | 400 | {"code":2,"message":"Bad handshake method"}
OPTIONS $polling                                  |                       |      | 400 | {"code":2,"message":"Bad handshake method"}
TRACE $polling                                    |                       |      | 400 | {"code":2,"message":"Bad handshake method"}
POST $websocket                                   | $upgrade              |      | 400 | {"code":2,"message":"Bad handshake method"}

# Engine.IO: sessions that are not there, or not so
GET $polling&sid=                                 |                       |      | 400 | {"code":1,"message":"Session ID unknown"}
GET $polling&sid=x                                |                       |      | 400 | {"code":1,"message":"Session ID unknown"}
GET $polling&sid=AAAAAAAAAAAAAAAA                 |                       |      | 400 | {"code":1,"message":"Session ID unknown"}
GET $polling&sid=AAAAAAAAAAAAAAAA&sid=$sid        |                       |      | 400 | {"code":1,"message":"Session ID unknown"}
GET $polling&sid=..%2f..%2f                       |                       |      | 400 | {"code":1,"message":"Session ID unknown"}
GET $polling&sid=$sid%00                          |                       |      | 400 | {"code":1,"message":"Session ID unknown"}
POST $polling&sid=AAAAAAAAAAAAAAAA                |                       | 40   | 400 | {"code":1,"message":"Session ID unknown"}
GET $websocket&sid=AAAAAAAAAAAAAAAA               | $upgrade              |      | 400 | {"code":1,"message":"Session ID unknown"}
PUT $polling&sid=$sid                             |                       | 40   | 400 |
DELETE $polling&sid=$sid                          |                       |      | 400 |
PATCH $polling&sid=$sid                           |                       | 40   | 400 |
POST $websocket&sid=$sid                          | $upgrade              | 40   | 400 |
GET $polling&sid=$wsid                            |                       |      | 400 | {"code":3,"message":"Bad request"}
POST $polling&sid=$wsid                           |                       | 40   | 400 | {"code":3,"message":"Bad request"}
GET $websocket&sid=$wsid                          | $upgrade              |      | 400 | {"code":1,"message":"Session ID unknown"}
GET $polling&sid=$upgraded                        |                       |      | 400 | {"code":3,"message":"Bad request"}
POST $polling&sid=$upgraded                       |                       | 40   | 400 | {"code":3,"message":"Bad request"}
GET $websocket&sid=$upgraded                      | $upgrade              |      | 101 |
POST $polling&sid=$sid                            |                       | $64KB+1 | 413 | the packets are too large
POST $polling&sid=$sid                            | transfer-encoding: chunked | zz | 400 | the packets did not come whole

# Engine.IO: upgrades that are none
GET $websocket                                    |                       |      | 426 | this transport needs a WebSocket
GET $websocket                                    | connection: Upgrade; upgrade: h2c | | 426 | this transport needs a WebSocket
GET $websocket                                    | connection: Upgrade; upgrade: websocket; sec-websocket-version: 8; sec-websocket-key: x | | 426 | sec-websocket-version must be 13
GET $websocket                                    | connection: Upgrade; upgrade: websocket; sec-websocket-key: x | | 426 | sec-websocket-version must be 13
GET $websocket                                    | connection: Upgrade; upgrade: websocket; sec-websocket-version: 13 | | 400 | sec-websocket-key is missing
GET $websocket&sid=$sid                           |                       |      | 426 | this transport needs a WebSocket

# Pages of elsewhere
GET $polling                                      | origin: https://evil.test          | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: null                       | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin:                            | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: *                          | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: http://portal.test         | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: https://portal.test:444    | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: https://portal.test.       | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: https://portal.test.evil.test | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: https://evilportal.test    | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: https://evil.test#https://portal.test | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: https://portal.test@evil.test | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: https://portal.test/       | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: https://portal.test%00.evil.test | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: https://portal.test; origin: https://evil.test | | 403 | {"code":4,"message":"Forbidden"}
GET $polling                                      | origin: https://evil.test; x-forwarded-host: evil.test | | 403 | {"code":4,"message":"Forbidden"}
GET $websocket                                    | origin: https://evil.test; $upgrade | | 403 | {"code":4,"message":"Forbidden"}
POST $polling&sid=$sid                            | origin: https://evil.test          | 40 | 403 | {"code":4,"message":"Forbidden"}
GET $polling&sid=$sid                             | origin: https://evil.test          | | 403 | {"code":4,"message":"Forbidden"}
OPTIONS $polling                                  | origin: https://evil.test; access-control-request-method: POST | | 403 | {"code":4,"message":"Forbidden"}

# The relay without its key
POST /internal/emit                               | $json                                    | $emit | 401 | $unauthorized
POST /internal/emit                               | $json; x-internal-api-key:               | $emit | 401 | $unauthorized
POST /internal/emit                               | $json; x-internal-api-key: $KEYx         | $emit | 401 | $unauthorized
POST /internal/emit                               | $json; x-internal-api-key: $KEY,$KEY     | $emit | 401 | $unauthorized
POST /internal/emit                               | $json; x-internal-api-key: x; $key       | $emit | 401 | $unauthorized
POST /internal/emit                               | $json; x-internal-api-key: x; authorization: Bearer $KEY | $emit | 401 | $unauthorized
POST /internal/emit                               | $json; authorization: $KEY               | $emit | 401 | $unauthorized
POST /internal/emit                               | $json; authorization: Basic $KEY         | $emit | 401 | $unauthorized
POST /internal/emit                               | $json; authorization: Bearer             | $emit | 401 | $unauthorized
POST /internal/emit                               | $json; cookie: x-internal-api-key=$KEY   | $emit | 401 | $unauthorized
POST /internal/emit                               | $json; x-forwarded-for: 127.0.0.1        | $emit | 401 | $unauthorized
POST /internal/emit?x-internal-api-key=$QUERY     | $json                                    | $emit | 401 | $unauthorized
POST /internal/emit                               |                                          | $256KB+1 | 401 | $unauthorized
POST /internal/disconnect                         | $json                                    | {"tenantId":"acme"} | 401 | $unauthorized
GET /internal/conversations/acme/c-1              |                                          |       | 401 | $unauthorized
GET /internal/conversations/a%2fb/%00             |                                          |       | 401 | $unauthorized
GET /metrics                                      |                                          |       | 401 | $unauthorized
GET /metrics?key=$QUERY                           |                                          |       | 401 | $unauthorized

# The relay with it
POST /internal/emit                               | $key                                     | $emit | 415 | $no_json
POST /internal/emit                               | $key; content-type: text/plain           | $emit | 415 | $no_json
POST /internal/emit                               | $key; content-type: application/jsonp    | $emit | 415 | $no_json
POST /internal/emit                               | $key; content-type: text/plain, application/json | $emit | 415 | $no_json
POST /internal/emit                               | $key; content-type: application/x-www-form-urlencoded | $emit | 415 | $no_json
POST /internal/emit                               | $key; $json                              | $256KB+1 | 413 | $too_large
POST /internal/emit                               | $key; $json                              |       | 400 | {"ok":false,"error":{"code":"invalid_json","message":"the body is not JSON (EOF while parsing a value at line 1 column 0)"}}
POST /internal/emit                               | $key; $json                              | {     | 400 | {"ok":false,"error":{"code":"invalid_json","message":"the body is not JSON (EOF while parsing an object at line 1 column 1)"}}
POST /internal/emit                               | $key; $json                              | $emit$emit | 400 | {"ok":false,"error":{"code":"invalid_json","message":"the body is not JSON (trailing characters at line 1 column 73)"}}
POST /internal/emit                               | $key; $json                              | {"tenantId":"\ud800"} | 422 | !tenantId: may only have the characters A-Z a-z 0-9 . _ ~ : @ + = -
POST /internal/emit                               | $key; $json                              | [$emit] | 422 | !body: must be a JSON object
POST /internal/emit                               | $key; $json                              | {} | 422 | !tenantId: is missing
POST /internal/emit                               | $key; $json                              | {"tenantId":"acme","conversationId":"c-1/../c-2"} | 422 | !conversationId: may only have the characters A-Z a-z 0-9 . _ ~ : @ + = -
POST /internal/emit                               | $key; $json                              | {"tenantId":"acme","conversationId":"*"} | 422 | !conversationId: may only have the characters A-Z a-z 0-9 . _ ~ : @ + = -
POST /internal/emit                               | $key; $json                              | {"tenantId":"acme","conversationId":"$129"} | 422 | !conversationId: must have at most 128 characters
POST /internal/emit                               | $key; $json                              | {"tenantId":["acme"],"conversationId":"c-1"} | 422 | !tenantId: must be a string or an integer
POST /internal/emit                               | $key; $json                              | {$ids,"event":"joined","payload":{}} | 422 | !event: is reserved
POST /internal/emit                               | $key; $json                              | {$ids,"event":"reset","payload":{}} | 422 | !event: is reserved
POST /internal/emit                               | $key; $json                              | {$ids,"event":"token_expiring","payload":{}} | 422 | !event: is reserved
POST /internal/emit                               | $key; $json                              | {$ids,"event":"token_expired","payload":{}} | 422 | !event: is reserved
POST /internal/emit                               | $key; $json                              | {$ids,"event":"refresh_token","payload":{}} | 422 | !event: is reserved
POST /internal/emit                               | $key; $json                              | {$ids,"event":"connect","payload":{}} | 422 | !event: is reserved
POST /internal/emit                               | $key; $json                              | {$ids,"event":"connect_error","payload":{}} | 422 | !event: is reserved
POST /internal/emit                               | $key; $json                              | {$ids,"event":"disconnect","payload":{}} | 422 | !event: is reserved
POST /internal/emit                               | $key; $json                              | {$ids,"event":"disconnecting","payload":{}} | 422 | !event: is reserved
POST /internal/emit                               | $key; $json                              | {$ids,"event":"newListener","payload":{}} | 422 | !event: must be a-z, then up to 63 of a-z 0-9 _
POST /internal/emit                               | $key; $json                              | {$ids,"event":"__proto__","payload":{}} | 422 | !event: must be a-z, then up to 63 of a-z 0-9 _
POST /internal/emit                               | $key; $json                              | {$ids,"event":"\u0000","payload":{}} | 422 | !event: must be a-z, then up to 63 of a-z 0-9 _
POST /internal/emit                               | $key; $json                              | {$ids,"event":"","payload":{}} | 422 | !event: must be a-z, then up to 63 of a-z 0-9 _
POST /internal/emit                               | $key; $json                              | {$ids,"event":["note"],"payload":{}} | 422 | !event: must be a string
POST /internal/emit                               | $key; $json                              | {$ids,"event":"note","payload":[]} | 422 | !payload: must be a JSON object
POST /internal/emit                               | $key; $json                              | {$ids,"event":"note","payload":"{}"} | 422 | !payload: must be a JSON object
POST /internal/emit                               | $key; $json                              | {$ids,"event":"inbound_message","payload":{"messageId":"m","mediaUrl":"javascript:alert(1)"}} | 422 | !payload.mediaUrl: must be an absolute http or https URL
POST /internal/emit                               | $key; $json                              | {$ids,"event":"inbound_message","payload":{"messageId":"m","mediaUrl":"file:///etc/passwd"}} | 422 | !payload.mediaUrl: must be an absolute http or https URL
POST /internal/disconnect                         | $key; $json                              | {"tenantId":"*"} | 422 | !tenantId: may only have the characters A-Z a-z 0-9 . _ ~ : @ + = -
POST /internal/disconnect                         | $key; $json                              | {"conversationId":"c-1"} | 422 | !tenantId: is missing
GET /internal/conversations/acme/..%2fc-1         | $key                                     |       | 422 | !conversationId: may only have the characters A-Z a-z 0-9 . _ ~ : @ + = -
GET /internal/conversations/acme/c-1%00           | $key                                     |       | 422 | !conversationId: may only have the characters A-Z a-z 0-9 . _ ~ : @ + = -
GET /internal/conversations/acme/%ff              | $key                                     |       | 422 | !path: must be UTF-8
GET /internal/conversations/acme/*                | $key                                     |       | 422 | !conversationId: may only have the characters A-Z a-z 0-9 . _ ~ : @ + = -
GET /internal/conversations/acme/$129             | $key                                     |       | 422 | !conversationId: must have at most 128 characters
GET /internal/conversations/acme/c-1/x            | $key                                     |       | 404 |
GET /internal/conversations/acme/                 | $key                                     |       | 404 |
GET /internal/conversations/acme                  | $key                                     |       | 404 |
GET /internal/emit                                | $key                                     |       | 405 |
PUT /internal/emit                                | $key; $json                              | $emit | 405 |
POST /internal/emit/                              | $key; $json                              | $emit | 404 |
POST /INTERNAL/EMIT                               | $key; $json                              | $emit | 404 |
POST //internal/emit                              | $key; $json                              | $emit | 404 |
POST /x/../internal/emit                          | $key; $json                              | $emit | 404 |
POST /internal%2femit                             | $key; $json                              | $emit | 404 |

# Files
GET /assets/..%2fwidget.html                      |                       |      | 404 |
GET /assets/../widget.html                        |                       |      | 404 |
GET /assets/..%2f..%2f..%2fCargo.toml             |                       |      | 404 |
GET /assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd       |                       |      | 404 |
GET /assets/..%5c..%5cCargo.toml                  |                       |      | 404 |
GET /assets//etc/passwd                           |                       |      | 404 |
GET /assets/%2fetc%2fpasswd                       |                       |      | 404 |
GET /assets/widget.js%00                          |                       |      | 404 |
GET /assets/%ff                                   |                       |      | 400 | Invalid URL: Invalid UTF-8 in `path`
GET /assets/                                      |                       |      | 404 |
GET /.env                                         |                       |      | 404 |
GET /static/dist/widget.html                      |                       |      | 404 |
GET /../../etc/passwd                             |                       |      | 404 |

# HTTP itself
GET /healthz                                      | content-length: 1; content-length: 2 |  | 400 |
POST /internal/emit                               | $key; $json; transfer-encoding: chunked; content-length: 4 | $last | 400 | {"ok":false,"error":{"code":"invalid_json","message":"the body is not JSON (EOF while parsing a value at line 1 column 0)"}}
POST /internal/emit                               | $key; $json; transfer-encoding: identity | | 400 |
POST /internal/emit                               | $key; $json; content-length: -1 | | 400 |
GET /healthz                                      | transfer-encoding : chunked |  | 400 |
GET /healthz                                      | bad header            |      | 400 |
GET healthz                                       |                       |      | 404 |
GET *                                             |                       |      | 404 |
CONNECT 127.0.0.1:5672                            |                       |      | 404 |
GET http://127.0.0.1:15672/                       |                       |      | 307 |
BREW /healthz                                     |                       |      | 405 |
"#;

/// Answers of the relay that many have.
pub(super) const ANSWERS: [(&str, &str); 3] = [
    (
        "$unauthorized",
        r#"{"ok":false,"error":{"code":"unauthorized","message":"x-internal-api-key or a bearer token must be one of the configured keys"}}"#,
    ),
    (
        "$no_json",
        r#"{"ok":false,"error":{"code":"unsupported_media_type","message":"content-type must be application/json"}}"#,
    ),
    (
        "$too_large",
        r#"{"ok":false,"error":{"code":"payload_too_large","message":"the body may have 262144 bytes at most"}}"#,
    ),
];
