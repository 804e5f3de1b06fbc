"""What a grievance's own words say: withdrawn, who writes, what it is about, what is wished for. Plain text in and out."""

import re

from bot.language.script import to_simplified

ANONYMOUS = re.compile(r"匿名|不(想)?(留|写|填|报|说)(下)?(名|姓名|名字|电话|手机|联系|真名)|不想留|不实名")
PLACE = re.compile(
    r"科|楼|窗口|病房|药房|收费处|急诊|门诊|厕所|卫生间|大厅|挂号处|走廊|导诊|电梯|食堂|停车场|公众号|小程序|网上|电话里|检查室|住院部|手术室|机器"
)
TIME = re.compile(
    r"今天|昨天|前天|刚才|刚刚|现在|上周|上个?月|这周|早上|上午|中午|下午|晚上|昨晚|今早|\d+月|\d+[号日]|星期|周[一二三四五六日天]|[\d一二三两四五六七八九十半]+个?(多)?(小时|钟头|钟|点)"
)
SEVERAL = re.compile(r"[两三四几多]个(科室|部门|科)|互相推|踢皮球")
UNSURE = re.compile(r"忘|不记得|记不|不清楚|不知道|说不(清|准|上)|没有?具体|不方便说|不好说|好几次|经常|一直")
QUESTION = re.compile(
    r"[?？]|多少|多久|怎么(办|查|样)|几天|什么时候|吗[。!！]*$|呢[。!！]*$|来着|是不是|能不能|可不可以"
)

# What the type is when the classifier only heard that somebody complains; the first that fits counts (R65).
TYPE_WORDS = (
    ("ethics", r"红包|回扣|收礼|塞钱|塞烟|黄牛|吃拿卡要|开单提成|号贩"),
    ("privacy", r"隐私|泄[露漏]|(念|拍|晒|传|给别人看).{0,8}(病历|报告|片子)|(病历|报告|信息|电话).{0,6}(给别人|被别人|外传)"),
    ("attitude", r"态度|吼|骂|凶|不耐烦|翻白眼|冷漠|爱答不理|爱理不理|不理(人|我|睬)|推搡|嘲|甩脸|没礼貌|不尊重|嫌弃|歧视|敷衍|摔.{0,4}(病历|本|单)"),
    ("fee", r"收费|乱收|多收|重复收|收了.{0,6}(两|三|2|3)|退费|费用|账单|押金|扣.{0,4}(钱|费)|太贵|抢钱|坑钱|宰人"),
    ("system", r"系统|公众号|小程序|APP|app|网上|挂不上|预约不|卡死|闪退|自助机|叫号屏|验证码"),
    ("waiting", r"等了|等太久|等[那这]么久|等半天|等不到|排队|排了|过号|插队|迟到|晚点|拖延|推来推去|互相推|踢皮球|没人(管|来|理)|效率|太慢|叫号"),
    ("environment", r"厕所|卫生间|脏|臭|电梯|空调|太热|太冷|吵|床单|热水|停车|座椅|椅子|漏水|垃圾|打扫|蟑螂|老鼠"),
)  # fmt: skip
TYPES_BY_WORDS = tuple((key, re.compile(words)) for key, words in TYPE_WORDS)

_CLAUSE = re.compile(r"[^，,。！!？?；;\s]+")
_WITHDRAWS = re.compile(
    r"(算了|行了|那|我|就|还是|先|嗯|唉|好吧|真的|现在|也)*(不|别|唔|甭)(想|要|再|用|打算|需要)*(投诉|舉報|举报|反映|说|說|讲|告|提|提交|追究|计较)(了|啦|喇|咯|嘞)(吧|啊|呢)?"
    r"|(算了|那|我|就|还是|先|请|帮我|给我|麻烦|能不能|可以|想|要|需要|把)*(撤回|撤销|撤掉|撤了|撤诉|撤|取消)(我|的|这个|那个|刚才|之前|上次|本次|一下)*(投诉|举报|工单|申诉|登记|单子)?(吧|了|掉|一下|吗)*"
    r"|(我|还是|那|就|把)*(我的|这个|那个|刚才的|之前的)*(投诉|举报|工单)(我)?(不要了|不用了|作废|撤了|撤回|撤销|取消)(吧|了|掉)?"
    r"|当我没(说|提)(过)?|不了了之吧?"
)
_STILL = re.compile(r"(?<!不)(要|想|来)?(投诉|举报)")
_NOTHING_MORE = re.compile(r"((算|行|好|走|不要|不用|没事)了?|谢谢您?|再见|拜拜|吧|就这样|[，,。\s])*")
_PHONE_LEAD = r"(?:(?:我的?|本人)?(?:联系)?(?:电话|手机|号码|联系方式)(?:号码?|号)?(?:是|为|[:：])?\s*)?"
PHONE = re.compile(r"(?:\+?86[\s-]?)?1\d{2}[\s-]?\*{4}[\s-]?\d{4}")
_PHONE_PHRASE = re.compile(_PHONE_LEAD + PHONE.pattern)
_NAME_LEAD = (
    r"(?:我的?(?:名字|姓名)(?:是|叫)?|我叫|我是|本人叫?|姓名[:：是]?|名字[:：是叫]*|叫做?|联系人[:：是]?|称呼[:：是]?)"
)
_SAYS_NAME = re.compile(
    r"(?:我叫|姓名[:：是]|名字[:：是叫]+|我的?(?:名字|姓名)(?:是|叫)|叫做|本人叫)\s*[一-鿿㐀-䶿·]{2,4}?(?=$|[，,。；;！\s]|身份证|电话|手机|号码|联系)"
    r"|(?:我|免贵)?姓[一-鿿](?=$|[，,。；;！\s])|(?:我叫|叫我)?[一-鿿](?:先生|女士|小姐)(?=$|[，,。；;！\s])"
)
# Anger in words (R34, R69), and the words around it that tell nothing.
_ANGRY = re.compile(
    r"气死(我|人|了|老子)?了?|(我|真|太|很|好|非常|特别|快|越来越)(的|是)?(生气|来气|窝火|恼火|愤怒|火大)|火大|恼火|烦死(我|人)?(了|啦|咯)?|受够(了|你们)?"
    r"|太过分了?|欺人太甚|(什么|啥|甚么)(破|玩意|垃圾)[^，,。！!？?]{0,4}|(破|垃圾)(系统|医院|机器人|软件|平台|客服|公众号|服务|玩意)"
    r"|听不懂人话|能不能说人话|答非所问|浪费(我|大家|老子)?的?(时间|感情)|(糊弄|忽悠|敷衍|耍)(我|人|谁)|推来推去|踢皮球"
    r"|(问|说|讲|等|弄|搞)了?(半天|这么久|那么久|老半天)[，, ]?(还是|都|也|一点|半点|根本|什么)+[^，,。！!？?]{0,8}(没用|没有|不行|不懂|没解决|问题)"
    r"|(你|你们|机器人)(怎么)?(这么|真|太|就是个?)(笨|蠢|没用|废物|差劲)|(你|你们|机器人)[^，,。]{0,4}(一点|半点)用(都|也)没有?"
    r"|到底(能不能|会不会|行不行|可不可以)(好好|给我)?(解决|办事|办成|管|听|说人话|干)[^，,。！!？?]{0,6}|有没有人管|没完没了"
)
_ILL_TEMPER = re.compile(
    r"(容易|老是|总是?|经常|动不动|一|爱|特别爱|无缘无故)(就)?(生气|发火|发脾气|烦躁|来气)|(生气|发火)(就|后|之后|以后|引起|导致|的时候|会)"
    r"|(爸|妈|他|她|老人|孩子|宝宝|娃|老公|老婆|爱人|爷爷|奶奶|外公|外婆|儿子|女儿|患者|病人)[^，,。！!？?]{0,8}(说话)?(答非所问|生气|发火|烦躁|暴躁)"
)
_AT_US = re.compile(r"你|医院|系统|机器人|客服|公众号|平台|护士|医生|大夫|服务|窗口")
_ANGRY_FILLER = re.compile(
    r"真的?|你们?|我们?|这个?|那个?|是不是|简直|都|了|啊|呀|吧|吗|呢|的|是|就|还|也|啦|哦|嘛|算|行|哎|唉|[^\u4e00-\u9fff]"
)
_EDGES = "，,。；;、!！ \n\t"

_WISH_WORDS = r"道歉|赔|退|处理|解释|说法|交代|整改|改进|改善|处分|处罚|开除|检讨|批评|答复|回复|查清|调查|增加|加派|加人|换人|补偿|书面|认错|负责|重视|落实|原因"
_DEMAND = re.compile(
    r"(?:(?:(?<=[，,。！!；;\s我并])|^|(?<=所以))"
    r"(?:我?(?:也|只|就)?(?:希望|要求|请求|想要|还要)|请(?=你们|医院|院方|领导)|麻烦(?=你们|医院|帮|给))"
    r"|我要(?!投诉|举报|反映|告|打官司|起诉|匿名|撤|说|跟|和|找|人工|问|等|排|去|交)|给我?个?说法)[^，,。！!；;\n]*"
)
_OWN_DEMAND = re.compile(
    rf"^(那|就|我)?(只|就|还)?(要|让|叫|请|给)[^，,。！!；;\n]{{0,12}}(?:{_WISH_WORDS})[^，,。！!；;\n]{{0,8}}$"
)
_SHORT_DEMAND = re.compile(
    rf"^[^，,。！!；;\n]{{0,4}}(?:{_WISH_WORDS})(?:我|一下|信|钱)?(?:就行|就好|即可|就可以)?(?:了|吧)?$"
)
_WISHES = re.compile(rf"希望|要求|请|要|让|给|想|别再|不要|管|提醒|说明|{_WISH_WORDS}")
_SURE_WISHES = re.compile(rf"希望|要求|别再|不要再|{_WISH_WORDS}")
FILLER = re.compile(
    r"(您好|你好|在吗|在不在|有人吗|哈喽|hello|hi|谢谢(你|您)?|多谢|感谢|辛苦了?|嗯+|哦+|噢|哎|唉|好的?|好吧|知道了|明白|收到|ok|OK|[。.!！~～?？，,\s])+"
)
BYE = re.compile(
    r"(那|好的?|行|嗯|先这样|就这样|谢谢|[，,。!！~\s])*(再见|拜拜|拜|8{2,}|886|下次(再)?聊|先走了|下了)[了啦吧哈。.!！~～\s]*"
)
BACK = re.compile(r"(返回|上一步|回到?上一步|退回|后退|重新填|填错了)[吧。!！]*")
LATER = re.compile(
    r"(呃|嗯|哎|额)?[，,]?(请|稍|先|你|您)*等(等|一下|会儿?|一会儿?|下|我想想?|我看看)+[吧啊。!！]*|(让)?我(先)?(想想|想一下|看看|看一下)[吧。]*"
)
WHERE_IS_PERSON = re.compile(
    r"^(喂|那|哎)?[，,]?(人|客服|人工)(工|员)?(呢|在哪|在吗|来了吗|去哪了?|怎么还(不|没).{0,4})[?？!！。]*$|^.{0,6}还(要|得)等(多久|多长|几).{0,4}$|^.{0,4}(轮|排)到我.{0,4}$|^前面(还)?有?几.{0,6}$"
)
# Somebody asks for a favour; nobody has done wrong yet.
_FAVOUR = re.compile(r"(黄牛|红包|塞(点)?钱|好处费|找(个)?关系|走(个)?后门|加塞|插个?队|内部号|关系号)")
_ASKING = re.compile(
    r"能不能|可不可以|可以.{0,12}吗|行不行|能.{0,10}吗|帮(我|忙)|给(你|您|你们)|搞(个|一个|张)|弄(个|一个|张)|有没有"
)
_WRONGED = re.compile(
    r"投诉|举报|收(了)?我|要我|让我|叫我|跟我要|找我要|问我要|索要|暗示|不给.{0,6}就|他们|有人|收钱|黑暗"
)

_PERSON = (
    r"(?:人|爸|妈|爹|娘|老伴|爷|奶|父|母|他|她|患者|病人|家属|佢|老公|老婆|丈夫|妻子|爱人|先生|太太|儿子|女儿|孩子|宝宝|婴儿|哥|姐|弟|妹|公|婆|"
    r"叔|姨|舅|姑|姥|伯|老人|老头|老太太?|亲人|家人|老汉儿?|媳妇|对象|闺女|外孙|孙子|孙女)"
)
_SURE_DEATH = re.compile(
    r"去世|过世|離世|离世|逝世|病逝|病故|已故|身故|往生|(?<![跑累])断(?:了)?气|咽[了的]?气|不在人世|离开(了)?(人世|这个世界)|没(救|抢救)(过来|回来)|没挺过来|没保住|没醒过来|心脏停了|ICU没出来|辞世|归西|撒手|百年了|出的?殡|"
    r"抢救无效|死亡|驾鹤|寿终|头七|后事|丧事|骨灰|遗体|太平间|下(的|了)?葬|火化|天堂|[过過]身|害死|治死|医死|死在|passed away|qushi"
)
_WHEN = (
    r"(?:[家们的亲]|已[经經]?|都|就|昨[天晚日儿]|今[天早儿]|前天|刚刚?|才|上[周个]?\w{0,3}|这月|那天|当天|当晚|夜里|早上|晚上|半夜|后来|最后|现在"
    r"|[\d一二三四五六七八九十]+[月号日天]|[，,\s]){0,4}"
)
_MAYBE_DEATH = re.compile(
    _PERSON
    + _WHEN
    + r"(?:(?:走|没)(?:了|的|喇|咗)|去的(?=$|[，。])|不在(?:了|喇)|死(?:了|的|掉|咗)|永远离开|烧了)|刚走(?=$|[，,。])(?!一趟|下来)"
)
_ONLY_GONE = re.compile(r"^[唉哎]?[，,]?(?:已经|刚|刚刚|人|人都)?(?:走了|没了|不在了|死了)[。！!…\s]*$")
_NOT_DEATH = re.compile(
    r"医生|大夫|护士|专家|主任|窗口|客服|保安|(累|气|急|疼|痛|烦|热|冷|吵|等|饿|渴|吓|笑)死|人(呢|都)?走了|走了(一|半|很|好|三|两|\d)"
)
_CERTIFICATE = re.compile(r"死亡(医学)?证明|证明|火化|殡仪|殡葬|销户|注销|遗体|太平间|后事|手续|开单")
_BLAMES = re.compile(
    r"误诊|漏诊|耽误|延误|害死|治死|医死|见死不救|不负责|抢救不及时|没人(管|理)|事故|说法|责任|怪你们|你们.{0,6}(害|错|拖|弄|治|搞)|是你们|告你们|起诉|赔|投诉|拖死|拖到"
)  # fmt: skip


_AFRAID = re.compile(
    r"(唉|哎|我)?(现在|心里)?(真的?|好|很|有点儿?|特别|非常|太|挺|就是)?(害怕|怕|担心|擔心|焦虑|焦慮|难过|難過|慌|紧张|緊張|想哭|绝望|不踏实|着急|崩溃)"
    r"(死了|得很|极了)?(得?睡不着)?(手术|检查|结果|打针|住院|开刀)?[啊呀了的哦呢]*"
)
# 不投诉了，先帮我查下账单: the label was heard of both clauses together, so the second is read by its words.
_BESIDE = tuple(
    (re.compile(words), name)
    for words, name in (
        (r"人工|真人", "request_human"),
        (r"退号|取消(预约|挂号)", "cancel_appointment"),
        (r"改期|改(到|个)时间|换个?时间", "reschedule_appointment"),
        (r"(我的|查).{0,4}(预约|挂号记录)", "query_my_appointments"),
        (r"挂.{0,6}号|预约", "book_appointment"),
        (r"账单|清单|花了多少|费用明细", "query_bill"),
        (r"报销", "estimate_reimbursement"),
        (r"多少钱|价格|收费标准", "query_price"),
    )
)


def withdrawal(text: str) -> str | None:
    """Give what else is asked where a grievance is withdrawn (不投诉了，先帮我查下账单), "" for nothing; None where it is not."""
    clauses = list(_CLAUSE.finditer(text.strip()))
    for index, clause in enumerate(clauses[:2]):
        words = clause.group()
        if _WITHDRAWS.fullmatch(words):
            rest = text.strip()[clause.end() :].strip(_EDGES)
            if len(rest) > 30 or _STILL.search(rest):
                return None
            return "" if _NOTHING_MORE.fullmatch(rest) else rest
        if index == 0 and words not in ("算了", "算了算了", "行了", "好吧", "好了", "唉", "嗯", "谢谢", "我", "对了"):
            return None
    return None


def without_identity(text: str, names: list[str]) -> str:
    """Give a text without the writer's name and phone number: they are contact, not story. `names` as they were read."""
    rest = _PHONE_PHRASE.sub("，", text)
    rest = _SAYS_NAME.sub("", rest)
    for name in filter(None, names):
        word = re.escape(name)
        alone = rf"(?:(?<=[，,。；;！\s])|^){_NAME_LEAD}?\s*{word}(?=$|[，,。；;！\s])"
        rest = re.sub(alone, "", rest)
    rest = re.sub(r"[，,][，,\s]*(?=[，,。；;！!]|$)|(?:^|(?<=[。；;！!\n]))[，,\s]+", "", rest)
    rest = re.sub(
        r"(?:^|(?<=[，,。；;\s]))(?:我?的?(?:电话|手机号?|号码|联系方式)(?:是|[:：])?)(?=$|[，,。；;\s])", "", rest
    )
    return rest.strip("，, \n\t")


def type_by_words(story: str) -> str | None:
    """Give the type of complaint that a story's words name, None when they name none (R65)."""
    return next((key for key, words in TYPES_BY_WORDS if words.search(story)), None)


def demand_in(text: str) -> str | None:
    """Give what the patient asks for within a text, None when he asks for nothing (R64)."""
    if found := _DEMAND.search(text):
        wish = found.group().strip(_EDGES)
        return wish if len(wish) >= 3 else None
    return next((c.group().strip(_EDGES) for c in _CLAUSE.finditer(text) if _OWN_DEMAND.match(c.group())), None)


def only_demands(text: str) -> bool:
    """Tell whether a text is a wish and nothing else (要她道歉)."""
    text = text.strip(_EDGES)
    whole = _DEMAND.match(text)
    return bool(_OWN_DEMAND.match(text) or _SHORT_DEMAND.match(text) or (whole and whole.end() == len(text)))


def wishes(text: str, story: bool = False) -> bool:
    """Tell whether words may be a wish: else they go on with the story. `story`: they sound like one (她还让我滚)."""
    return bool((_SURE_WISHES if story else _WISHES).search(text))


def asks_favour(text: str) -> bool:
    """Tell whether somebody offers money for a way round the queue; a wrong that was done is no favour."""
    return bool(_FAVOUR.search(text) and _ASKING.search(text) and not _WRONGED.search(text))


def death(text: str) -> bool:
    """Tell whether a text says that a person has died (R99). 刚才断线了 没了 and 等死了 do not."""
    if _SURE_DEATH.search(text) or _ONLY_GONE.match(text.strip()):
        return True
    return bool(_MAYBE_DEATH.search(text) and not _NOT_DEATH.search(text))


def asks_certificate(text: str) -> bool:
    """Tell whether a text about a death asks for the papers."""
    return bool(_CERTIFICATE.search(text))


def blames(text: str) -> bool:
    """Tell whether a text holds the hospital to account."""
    return bool(_BLAMES.search(text))


def beside(text: str) -> str | None:
    """Give the request that plain words name beside a withdrawn grievance, None when they name none."""
    return next((name for words, name in _BESIDE if words.search(text)), None)


def afraid(text: str) -> bool:
    """Tell whether a text only says how its writer feels: 我害怕, 有点担心手术 (R34)."""
    return bool(_AFRAID.fullmatch(text.strip(_EDGES)))


def angry(text: str) -> bool:
    """Tell whether somebody is angry now, at us or at how it goes (R69): 气死我了, 答非所问. 一生气就胃疼 is an illness."""
    said = to_simplified(text)
    return bool(_ANGRY.search(said)) and not (_ILL_TEMPER.search(said) and not at_us(said))


def at_us(text: str) -> bool:
    """Tell whether words are meant for the hospital or for this assistant."""
    return bool(_AT_US.search(to_simplified(text)))


def only_angry(text: str) -> bool:
    """Tell whether a text is anger and nothing that could be looked into."""
    rest = _ANGRY_FILLER.sub("", _ANGRY.sub("", to_simplified(text)))
    return len(rest) <= 3
