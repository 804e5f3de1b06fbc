"""How patients say times: dialect, Traditional characters, typos and pinyin become the words that the rules know.

Every replacement remembers where it came from, so a place in the plain text leads back to the patient's own text.
"""

import re
import unicodedata
from dataclasses import dataclass

# Traditional characters that occur in times and numbers, one for one.
_CHARACTERS = str.maketrans(
    "聽後禮週號點個這兩晝尋間過時鐘節國慶農曆臘陽萬塊錢幾來從頭選裡裏內滿兒們還會現當陰開總億參陸項",
    "听后礼周号点个这两昼寻间过时钟节国庆农历腊阳万块钱几来从头选里里内满儿们还会现当阴开总亿叁陆项",
)

# Whole words, grouped by what they mean. 大后天 comes before 后天, so that the longer word wins.
_WORDS = {
    "大后天": "大后儿个 大后儿 大后日 大後天 外后天 外后日 老后天 万后天",
    "后天": "后儿个 后儿 后日 后朝 后填 后夭 后添 候天 houtian",
    "明天早上": "听朝早 听朝 明早 明晨 明儿早起",
    "明天晚上": "听晚 明晚",
    "明天": "赶明儿个 赶明儿 明儿个 明儿 明个儿 明个 听日 明日 翌日 次日 明朝 "
    "名天 明田 明添 鸣天 明夭 明填 mingtian tomorrow",
    "这个周": "呢个星期 呢个礼拜 今个星期 今个礼拜 这个星期 这个礼拜 这星期 这礼拜",
    "今天早上": "今早 今晨",
    "今天晚上": "今晚黑 今晚 今夜",
    "今天": "今儿个 今儿 今个儿 今个 今日 今朝 即日 当天 当日 金天 今夭 今填 jintian today",
    "大前天": "大前儿 大前日",
    "前天": "前儿个 前儿 前日 qiantian",
    "昨天晚上": "昨晚 昨夜 寻晚 琴晚",
    "昨天": "昨儿个 昨儿 昨个 昨日 寻日 琴日 噚日 作天 zuotian",
    "周": "星期 礼拜 星其 星斯 礼白 礼败 里拜 xingqi libai",
    "周末": "双休日 双休",
    "上午": "上昼 前晌 头晌 上无 上五 早半天 上半天 shangwu",
    "下午": "下昼 晏昼 后晌 后半晌 下舞 下无 下五 下半天 午后 xiawu",
    "中午": "晌午 正午 zhongwu",
    "早上": "朝早 早晨 早起 清早 清晨 大早 一早 早尚 zaoshang",
    "晚上": "夜晚 晚黑 下黑 黑里 黑夜 夜里 夜间 晚间 傍晚 晚夕 晚尚 wanshang",
    "国庆": "国庆节 国庆假期 国庆长假 国庆期间 十一假期 十一长假 十一期间 十一黄金周 国庆长假期间",
    "元旦": "元旦节 阳历年 元旦假期",
    "五一": "五一节 五一假期 五一期间 五一长假 劳动节",
    "春节": "春节假期 春节期间 过年期间 过年",
    "年后": "过完年 过了年",
    "最近几天": "近几天 最近几日 近几日",
}
# 上五 is a typo of 上午 only where it does not belong to 上五天 or 周上五.
_TO = {spoken: plain for plain, words in _WORDS.items() for spoken in words.split()}
_SPOKEN = re.compile(
    "|".join(sorted((re.escape(word) for word in _TO if word not in {"上五", "下五"}), key=len, reverse=True))
    + r"|(?<![周天])[上下]五(?![天个次月])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Plain:
    """Text in plain words. `origin[i]` gives (start, end) of the patient's characters behind character i."""

    text: str
    origin: tuple[tuple[int, int], ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Give the place in the patient's text of the plain characters start..end (end exclusive, not empty)."""
        return self.origin[start][0], self.origin[end - 1][1]


def one_width(text: str) -> str:
    """Turn full-width forms and known Traditional characters into their everyday form; the length stays."""
    narrow = "".join(
        folded if len(folded := unicodedata.normalize("NFKC", character)) == 1 else character for character in text
    )
    return narrow.translate(_CHARACTERS)


def plain(text: str) -> Plain:
    """Give the text in plain words: 禮拜三下晝 → 周三下午, 明儿 → 明天. Blanks are dropped."""
    narrow = one_width(text)
    characters: list[str] = []
    origin: list[tuple[int, int]] = []
    at = 0
    while at < len(narrow):
        match = _SPOKEN.match(narrow, at)
        if match:
            word = _TO.get(match.group().lower()) or {"上": "上午", "下": "下午"}[match.group()[0]]
            characters.extend(word)
            origin.extend([match.span()] * len(word))
            at = match.end()
            continue
        if not narrow[at].isspace():
            characters.append(narrow[at])
            origin.append((at, at + 1))
        at += 1
    return Plain("".join(characters), tuple(origin))
