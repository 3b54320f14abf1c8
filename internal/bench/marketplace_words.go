package main

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// language makes texts of a language: words by how often they are used, the most frequent first.
type language struct {
	name   string
	share  int // of a hundred assistants
	words  []string
	blanks bool // between words
}

// tail is how many words a language has.
const tail = 30_000

// languages are made of frequent words and of what can be put together from their parts.
func languages() []language {
	latin := strings.Fields(`con tra pro mul ti ver sal min dor ka len ri so ta ne pul gra fi or ent er ation ist able ment inter pre sub dis over ness al ic um`)
	cyrillic := strings.Fields(`пере на по при об вы раз у ком при ста вод чик тель ность ник ал ен ить ать ова ред мен сло язы код тек зна тор мас ом ах ия ый ая`)
	all := []language{
		{"English", 42, strings.Fields(`assistant ai expert helper writer code your you with and for the a of to in creates writes helps translates reviews explains
			teaches plans text english content marketing data analysis prompt generator translation business email story tutor coach guide seo social media
			product design programming python javascript sql research academic paper summary summarizer learning language image midjourney creative
			professional detailed optimized interview resume career travel recipe health fitness game character role play chat customer support legal finance
			stock trading project manager meeting notes git commit api react vue web development software engineer architect test debug error security`), true},
		{"Chinese", 28, strings.Fields(`助手 专家 翻译 写作 编程 代码 帮助 可以 根据 用户 生成 内容 分析 设计 学习 英语 文案 小红书 标题 优化 数据 专业 提供 文章 提示词 绘画 角色 扮演 老师 教学
			产品 经理 营销 策略 问题 回答 总结 文本 语言 中文 论文 学术 简历 面试 职业 旅行 计划 美食 菜谱 健康 心理 咨询 法律 顾问 股票 投资 故事 小说 诗歌 创作 游戏 开发
			前端 后端 工程师 架构 测试 安全 算法 模型 图片 视频 脚本 会议 记录 邮件 商务 客服 项目 管理`), false},
		{"Russian", 8, strings.Fields(`помощник ассистент переводчик текст пишет помогает для и на с код программист редактор учитель английский язык анализ данных маркетинг
			контент идеи рецепты путешествия план задачи проверяет ошибки объясняет просто отзывы письма резюме карьера`), true},
		{"Japanese", 7, strings.Fields(`アシスタント 翻訳 日本語 英語 を の に します 作成 文章 コード レビュー 学習 先生 ビジネス メール 支援 要約 企画 分析 データ プログラミング 旅行 料理 相談 小説 デザイン`), false},
		{"German", 5, strings.Fields(`assistent hilft bei und der die das für mit texte übersetzt schreibt prüft code erklärt plant reisen rezepte bewerbung lernen deutsch englisch daten`), true},
		{"Spanish", 5, strings.Fields(`asistente ayuda con de la el y para textos traduce escribe revisa código explica planifica viajes recetas currículum aprender español inglés datos`), true},
		{"Korean", 3, strings.Fields(`도우미 번역 한국어 영어 작성 글쓰기 코드 리뷰 학습 선생님 요약 분석 데이터 마케팅 여행 요리 상담 면접 이력서 기획`), true},
		{"Thai", 2, strings.Fields(`ผู้ช่วย แปล ภาษา ไทย อังกฤษ เขียน บทความ โค้ด ครู สอน วางแผน ท่องเที่ยว สูตร อาหาร สุขภาพ ข้อมูล วิเคราะห์ การตลาด`), false},
	}
	parts := map[string][]string{"Russian": cyrillic, "English": latin, "German": latin, "Spanish": latin}
	random := rand.New(rand.NewPCG(1, 1))
	for i := range all {
		l := &all[i]
		from := parts[l.name]
		if from == nil { // the characters, or syllables, of its words
			for _, word := range l.words {
				for _, r := range word {
					from = append(from, string(r))
				}
			}
			slices.Sort(from)
			from = slices.Compact(from)
		}
		for len(l.words) < tail {
			var word strings.Builder
			for range 2 + random.IntN(2) {
				word.WriteString(from[random.IntN(len(from))])
			}
			l.words = append(l.words, word.String())
		}
	}
	return all
}

// texts makes names and descriptions, the same ones for a document each time.
type texts struct {
	languages []language
	random    *rand.Rand
	source    *rand.PCG
	often     *rand.Zipf
}

func newTexts() *texts {
	source := rand.NewPCG(0, 0)
	random := rand.New(source)
	return &texts{languages(), random, source, rand.NewZipf(random, 1.1, 4, tail-1)}
}

// of is a document's name and description.
func (t *texts) of(doc int) (name, description string) {
	t.source.Seed(7, uint64(doc))
	share := t.random.IntN(100)
	l := &t.languages[0]
	for i := range t.languages {
		l = &t.languages[i]
		if share -= l.share; share < 0 {
			break
		}
	}
	name = t.sentence(l, 2+t.random.IntN(3))
	if l.blanks {
		name = strings.ToUpper(name[:1]) + name[1:]
	}
	return clip(name, 100), clip(t.sentence(l, 12+t.random.IntN(20)), 512)
}

func (t *texts) sentence(l *language, words int) string {
	var b strings.Builder
	for i := range words {
		if i > 0 && l.blanks {
			b.WriteByte(' ')
		}
		b.WriteString(l.words[t.often.Uint64()])
		if i%9 == 8 {
			b.WriteByte(',')
		}
	}
	return b.String()
}

func clip(s string, characters int) string {
	r := []rune(s)
	return string(r[:min(len(r), characters)])
}
